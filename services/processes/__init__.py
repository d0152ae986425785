"""How a process of REX starts, logs, ends and runs another one."""
