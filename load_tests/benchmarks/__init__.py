"""The cost of each hot path beside its best possible cost, measured in the same run: `python -m load_tests.benchmarks`.

Absolute numbers depend on the machine. The ratio to the limit shows how much our own code costs. Nothing here is a test.
"""
