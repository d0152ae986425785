"""A package for pytest: the browser of conftest.py ends with the last test of this folder."""
