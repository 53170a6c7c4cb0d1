"""Compare the terms of our analysers with those of Lucene itself, as it comes with Pyserini.

    python benchmarks/lucene_terms.py FOLDER ...      over the documents and queries of BEIR-style folders
    python benchmarks/lucene_terms.py --code-points   over every code point of Unicode
    python benchmarks/lucene_terms.py --golden FILE   over the texts of a golden file, and write Lucene's terms into it

It needs `pip install pyserini` and the Java that Pyserini asks for, and ends with status 1 if any text differs. A
document is its title and its text joined by a space, as Anserini indexes it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import batched, chain
from pathlib import Path

from harness.analyzers.english import English
from harness.analyzers.standard import Standard

Analyze = Callable[[str], list[str]]

# What the rules of the tokeniser do with a character shows in how it stands by others. The lines that join a probe to
# the next keep them apart: no rule reaches over one.
PROBES = ("{}", "a{}", "{}a", "a{}b", "1{}2", "_{}_", "א{}א", "カ{}カ", "ก{}ก", "{}\u0301", "👩\u200d{}x", "{}\ufe0f\u200d👩", "BA{}ED")
