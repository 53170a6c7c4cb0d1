"""The end of a dataset's name that says how dev is cut from train, or that names folds.

`beir/scifact-dev-queries` and `beir/scifact/test-dev-queries` cut dev by queries, which by default is cut by documents
(`harness.collection.dev`). `beir/scifact/folds-5` reports all labelled queries in five folds by documents,
`beir/scifact/folds-5-queries` in five folds by queries (`harness.collection.folds`); dev is cut from the other folds
by the same rule. As a part of the name it is in every record, key and job, and works wherever a dataset is named.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from harness.base.errors import SettingError
from harness.collection.dev import DOCUMENTS, QUERIES, Rule, with_dev
from harness.collection.folds import folded
from harness.data.dataset import Dataset
from harness.runtime.context import Context

LEAST_FOLDS = 2
_DEV = re.compile(r"(.+)-dev-(documents|queries)")
_FOLDS = re.compile(r"(.+)/folds-(\d+)(-queries)?")
_RULES: dict[str, Rule] = {"documents": DOCUMENTS, "queries": QUERIES}


@dataclass(frozen=True)
class Variant:
    """How a collection is used; as a string, the end of a dataset's name.

    Args:
        folds: how many; 0 for the collection's own splits.
        by: what the folds are made of.
        dev: how dev is cut; None for the rule of the folds, else by documents.
    """

    folds: int = 0
    by: Rule = DOCUMENTS
    dev: Rule | None = None

    @property
    def dev_rule(self) -> Rule:
        """How dev is cut."""
        return self.dev or self.by

    def __str__(self) -> str:
        folds = f"/folds-{self.folds}{'-queries' if self.by == QUERIES else ''}" if self.folds else ""
        return folds + (f"-dev-{self.dev_rule}" if self.dev_rule != self.by else "")


def split_variant(name: str) -> tuple[str, Variant]:
    """A dataset's name without its end, and what the end says.

    Raises:
        SettingError: fewer than two folds.
    """
    dev: Rule | None = None
    if (found := _DEV.fullmatch(name)) is not None:
        name, dev = found[1], _RULES[found[2]]
    if (found := _FOLDS.fullmatch(name)) is None:
        return name, Variant(dev=dev)
    return found[1], Variant(_number(found[2]), QUERIES if found[3] else DOCUMENTS, dev)


def reported_split(name: str) -> str | None:
    """The split that a loaded dataset reports, from its full name; None if the name has folds.

    Args:
        name: of the dataset, with its split, as `beir/scifact/test-dev-queries`.
    """
    base, variant = split_variant(name)
    return None if variant.folds else base.rpartition("/")[2]


def named(name: str, folds: str | int | None = None, dev_cut: str | None = None) -> str:
    """The name of a dataset with folds, or with another way to cut dev.

    Args:
        name: of the dataset.
        folds: `5`, or `5-queries` for folds by queries; None leaves the name as it is.
        dev_cut: `documents` or `queries`; None leaves the name as it is.

    Raises:
        SettingError: none of these.
    """
    base, variant = split_variant(name)
    if folds is not None:
        number, _, by = str(folds).partition("-")
        if by not in ("", *_RULES):
            raise SettingError(f"folds are made by documents or by queries, as 5 or 5-queries; got {folds!r}.")
        variant = Variant(_number(number), _RULES.get(by, DOCUMENTS), variant.dev)
    if dev_cut is not None:
        if dev_cut not in _RULES:
            raise SettingError(f"dev is cut by documents or by queries; got {dev_cut!r}.")
        variant = dataclasses.replace(variant, dev=_RULES[dev_cut])
    return f"{base}{variant}"


def variant_of(dataset: Dataset, name: str, variant: Variant, context: Context) -> Dataset:
    """The dataset as its name says, with a dev split if it can have one.

    Args:
        dataset: as the collection has it.
        name: the canonical one, with the end that says the variant.
        variant: what that end says.
        context: its cache.

    Raises:
        DatasetError: the collection has too few groups of queries for the folds.
    """
    if variant.folds:
        return folded(dataset, name, variant.folds, variant.by, variant.dev_rule, context)
    return dataclasses.replace(
        dataset,
        name=f"{dataset.name}{variant}",
        load_train=lambda: with_dev(dataset.load_train(), variant.dev_rule, context),
    )


def _number(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < LEAST_FOLDS:
        raise SettingError(f"name {LEAST_FOLDS} folds or more, as folds-5; got {text!r}.")
    return number
