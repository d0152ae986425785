"""The instruments and trading days REX ships with: data files of ours, checked when they are read."""
