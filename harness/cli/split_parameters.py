"""How the queries of a dataset are used: folds, and how dev is cut; both become a part of the dataset's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from harness.cli.declaration import Parameters


@dataclass(frozen=True, kw_only=True)
class Splits(Parameters):
    """How the queries of a dataset are used."""

    folds: Annotated[
        str | None,
        typer.Option(
            "--folds",
            metavar="N",
            help="Report all labelled queries in N folds by documents, each ranked by a system that was fitted on the "
            "others; N-queries makes folds by queries. The same as /folds-N after the dataset.",
        ),
    ] = None
    dev_cut: Annotated[
        str | None,
        typer.Option(
            "--dev-cut",
            metavar="RULE",
            help="How dev is cut from train if a dataset has no dev split: documents (dev shares no relevant document "
            "with train) or queries. Default: documents.",
        ),
    ] = None

    def with_splits(self, dataset: str) -> str:
        """The name of a dataset with these settings.

        Raises:
            SettingError: a rule or a number of folds that does not exist.
        """
        from harness.collection.variant import named  # imports NumPy, which `--help` does not need

        return named(dataset, self.folds, self.dev_cut)
