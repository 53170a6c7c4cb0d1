"""Lucene itself, in a separate process: the harness never loads a JVM.

`java.py` finds the Java and the jar that the extra `lucene` brings; `worker.py` is the other process, a script that
speaks JSON lines; `process.py` starts it, sends requests and reports its errors.
"""
