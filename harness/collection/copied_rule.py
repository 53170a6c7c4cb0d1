"""The rule on queries that are documents (`harness.collection.self_retrieval`) in a copy of a collection.

It may depend on the collection's name (`beir/arguana`), on a library (MTEB), or on a manifest. A copy has another name,
so it gets a manifest that says the rule, unless the texts alone give it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import harness
from harness.base.errors import DatasetError
from harness.base.files import replacing, there, write_text
from harness.collection.self_retrieval import LEFT_OUT, MANIFEST, declared, self_retrieval
from harness.data.corpus import Corpus
from harness.data.queries import Labelled

_RULES: Final = (None, True, False)


def copy_rule(name: str, splits: Sequence[Labelled], corpus: Corpus, source: Path | None, folder: Path) -> None:
    """Writes a manifest into a copy, so that loading it leaves the same documents out of the rankings.

    Args:
        name: of the original, for the manifest.
        splits: all that are copied.
        corpus: the documents.
        source: folder of the original; its manifest is copied if it gives the rule. None without one.
        folder: of the copy.

    Raises:
        DatasetError: no rule gives what the splits leave out.
    """
    if source is not None and there((source / MANIFEST).is_file) and _gives(declared(source), splits, corpus):
        with replacing(folder / MANIFEST) as part:
            shutil.copyfile(source / MANIFEST, part)
        return
    rules = [rule for rule in _RULES if _gives(rule, splits, corpus)]
    if not rules:
        raise DatasetError(
            f"{name} leaves the own documents of some queries out of their rankings by a rule of its own, which a copy "
            "cannot have: its source must remove all documents with the id of their query, or none."
        )
    if rules[0] is not None:
        made = {"made_by": f"retrieval-harness {harness.__version__}", "copy_of": name, "queries": {LEFT_OUT: rules[0]}}
        write_text(folder / MANIFEST, json.dumps(made, indent=1, ensure_ascii=False) + "\n")


def _gives(rule: bool | None, splits: Sequence[Labelled], corpus: Corpus) -> bool:
    return all(self_retrieval("", split.queries, corpus, rule)[0] == split.drop_self for split in splits)
