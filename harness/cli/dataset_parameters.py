"""The dataset of a command that takes one: an argument, or `--dataset`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import typer

from harness.base import defaults
from harness.base.errors import SettingError
from harness.cli.declaration import Parameters
from harness.cli.parameters import DATASET_HELP
from harness.cli.split_parameters import Splits


@dataclass(frozen=True, kw_only=True)
class OneDataset(Parameters):
    """A dataset, named after the command or with `--dataset`."""

    dataset: Annotated[
        str | None,
        typer.Argument(metavar="DATASET", help=DATASET_HELP),
    ] = None
    dataset_option: Annotated[
        list[str], typer.Option("--dataset", "-d", metavar="DATASET", help="The same as the argument DATASET.")
    ] = field(default_factory=list)

    @property
    def one_dataset(self) -> str:
        """The named dataset.

        Raises:
            SettingError: none is named, or several are.
        """
        named = list(dict.fromkeys(name for name in [self.dataset, *self.dataset_option] if name))
        if len(named) > 1:
            raise SettingError(f"{self._several(named)}; this command takes one: name one.")
        if not named:
            raise SettingError(
                "no dataset is named; name one, e.g. beir/scifact, stdlib/code or a folder, ./my-corpus."
            )
        return named[0]

    def _several(self, named: list[str]) -> str:
        options = [f"--dataset {name}" for name in named]
        if self.dataset:
            options[0] = self.dataset
        number = "two" if len(named) == 2 else str(len(named))
        return f"{number} datasets are named, {' and '.join(options)}"


@dataclass(frozen=True, kw_only=True)
class SplitDataset(OneDataset, Splits):
    """A dataset, and how its queries are used."""

    @property
    def one_dataset(self) -> str:
        """The named dataset; its name says how its queries are used.

        Raises:
            SettingError: none is named, or several are, or a rule does not exist.
        """
        return self.with_splits(super().one_dataset)


@dataclass(frozen=True, kw_only=True)
class DefaultDataset(SplitDataset):
    """A dataset with a default."""

    dataset: Annotated[
        str | None,
        typer.Argument(metavar="DATASET", help=f"{DATASET_HELP} Default: {defaults.DATASET}."),
    ] = None

    @property
    def one_dataset(self) -> str:
        """The named dataset, or the default one.

        Raises:
            SettingError: several are named.
        """
        return super().one_dataset if self.dataset or self.dataset_option else self.with_splits(defaults.DATASET)
