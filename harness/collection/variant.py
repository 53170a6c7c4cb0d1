"""The end of a dataset's name that says how dev is cut from train.

`beir/scifact-dev-queries` and `beir/scifact/test-dev-queries` cut dev by queries, which by default is cut by documents
(`harness.collection.dev`). As a part of the name it is in every record, key and job, and works wherever a dataset is
named.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from harness.base.errors import SettingError
from harness.collection.dev import DOCUMENTS, QUERIES, Rule, with_dev
from harness.data.dataset import Dataset
from harness.runtime.context import Context

_DEV = re.compile(r"(.+)-dev-(documents|queries)")
_RULES: dict[str, Rule] = {"documents": DOCUMENTS, "queries": QUERIES}


@dataclass(frozen=True)
class Variant:
    """How a collection is used; as a string, the end of a dataset's name.

    Args:
        dev: how dev is cut; None for by documents.
    """

    dev: Rule | None = None

    @property
    def dev_rule(self) -> Rule:
        """How dev is cut."""
        return self.dev or DOCUMENTS

    def __str__(self) -> str:
        return f"-dev-{self.dev_rule}" if self.dev_rule != DOCUMENTS else ""


def split_variant(name: str) -> tuple[str, Variant]:
    """A dataset's name without its end, and what the end says."""
    found = _DEV.fullmatch(name)
    return (name, Variant()) if found is None else (found[1], Variant(_RULES[found[2]]))


def named(name: str, dev_cut: str | None = None) -> str:
    """The name of a dataset with another way to cut dev.

    Args:
        name: of the dataset.
        dev_cut: `documents` or `queries`; None leaves the name as it is.

    Raises:
        SettingError: none of these.
    """
    base, variant = split_variant(name)
    if dev_cut is not None:
        if dev_cut not in _RULES:
            raise SettingError(f"dev is cut by documents or by queries; got {dev_cut!r}.")
        variant = dataclasses.replace(variant, dev=_RULES[dev_cut])
    return f"{base}{variant}"


def variant_of(dataset: Dataset, variant: Variant, context: Context) -> Dataset:
    """The dataset as its name says, with a dev split if it can have one.

    Args:
        dataset: as the collection has it.
        variant: what the end of its name says.
        context: its cache.
    """
    return dataclasses.replace(
        dataset,
        name=f"{dataset.name}{variant}",
        load_train=lambda: with_dev(dataset.load_train(), variant.dev_rule, context),
    )
