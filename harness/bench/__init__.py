"""The bench: rows × datasets → steps done once → records.

`plan.py` says which steps there are and who shares them; `runner.py` does them and makes a record of each row, whatever
happens; `record.py` is the form of a record; `store.py` keeps records, per-query values and runs; `provenance.py` says
where and with what; `latency.py` times single queries; `load.py` says whether the machine was busy meanwhile.
"""
