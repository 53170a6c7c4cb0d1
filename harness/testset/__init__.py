"""Test sets made from a corpus: documents read and sampled, queries made and filtered, pools judged, a BEIR folder."""
