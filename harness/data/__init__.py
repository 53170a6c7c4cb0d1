"""Documents, queries and judgements; the one order of a ranking; measures; TREC files."""
