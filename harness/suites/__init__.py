"""The suites: the benchmark as items of pytest, `pytest --pyargs harness.suites --benchmark`, and fixtures for tests of
one's own rows.

pytest finds `entry` by an entry point. It imports nothing of the package until the suites are named or a test uses it.
"""
