"""Judgements that are missing: pools of what rows retrieve, judged by models, in a table, or by people on a page."""
