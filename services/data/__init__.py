"""The instruments and the trading calendar that REX ships with: CSV files, checked when they are read."""
