"""What each hot path costs, beside what it could cost at best, measured in the same run: `python -m load_tests.benchmarks`.

A figure of one machine says little; the ratio to its limit says where our own code stands. Nothing here is a test.
"""
