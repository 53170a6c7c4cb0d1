"""Records of systems compared with each other: verdicts, ties, decisions, the regression gate."""
