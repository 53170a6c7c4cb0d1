"""Lucene itself, in a process of its own: the JVM never lives in the harness's.

`java.py` finds the Java and the jar that the extra `lucene` brings; `worker.py` is the other process, a script that
speaks JSON lines; `process.py` starts it, asks it and tells of its faults.
"""
