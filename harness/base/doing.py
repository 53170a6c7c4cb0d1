"""What is being done now, for whoever waits: `harness.cli.progress` shows it on a terminal."""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("harness.doing")
"""Its messages are not warnings: without a handler of their own they go nowhere."""
LOGGER.propagate = False


def doing(what: str) -> None:
    """Reports what begins now, e.g. `index dense on beir/scifact`."""
    LOGGER.info(what)
