"""The fixture that writes a collection to a folder, as the sources use it."""

from __future__ import annotations

from tests.datasets.conftest import collection as collection
