"""Sweeps: many settings tried, one chosen on dev, that one reported on test.

A file says what (`spec`), each trial is a cell of one row and one seed with its outcome on dev kept by content (`cells`), measured
wherever an executor has its workers (`work`, `tries`), and what was found is put together (`found`).
"""
