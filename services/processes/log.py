"""Where and how a process of REX logs: a line for each event on standard error; standard output is for what was asked for.

Events of REX (structlog) and of its libraries (logging) take the same way. An error is followed by its traceback: without the
values of variables, which may be keys and passwords, and of bounded length, since writing it holds the event loop. What looks
like a secret is masked in the finished line, whoever wrote it.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

FORMAT_VARIABLE = "REX_LOG_FORMAT"
"""`text`, or `json`: an object for each event. Read here and not from the settings: every process inherits it, also one that
reads no settings."""

MAX_TRACEBACK = 8_000
"""The characters of a traceback that are written; of a longer one its beginning and, more of it, its end."""
_BEGINNING = MAX_TRACEBACK // 4

_SECRETS = re.compile(
    r"(?<![\w-])(?:rexs?_[\w-]{43,}|whsec_[\w+/=-]{20,})|(?<=Bearer )[^\s'\",]+|(?<=://)[^\s/@'\"]+(?=@)"
)
"""A key, a session's or a webhook's secret; what follows `Bearer`; the name and password in an address."""


def log_to_standard_error() -> None:
    """Makes every event of this process one line on standard error, or a JSON object there."""
    as_json = os.environ.get(FORMAT_VARIABLE) == "json"
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.set_exc_info,
        structlog.processors.ExceptionRenderer(_traceback),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    line: Processor = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _for_people()
    structlog.configure(
        processors=[*shared, line, _masked], logger_factory=lambda *_: structlog.PrintLogger(sys.stderr)
    )
    assert logging.lastResort is not None
    logging.lastResort.setFormatter(  # the handler of all warnings and errors for which no library sets up one of its own
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, line, _masked],
        )
    )


def _for_people() -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
    )


def _traceback(exc_info: ExcInfo) -> str:
    text = "".join(traceback.format_exception(*exc_info)).rstrip()
    if len(text) <= MAX_TRACEBACK:
        return text
    left_out = len(text) - MAX_TRACEBACK
    return f"{text[:_BEGINNING]}\n… {left_out:,} characters left out …\n{text[left_out + _BEGINNING :]}"


def _masked(_logger: object, _method: str, line: EventDict) -> str:
    """The finished line without secrets. The last of the processors, so what it gets is text, whatever its type says."""
    return _SECRETS.sub("***", str(line))
