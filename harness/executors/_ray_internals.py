"""What Ray has no public setting for: that it listens on the loopback address only, and what it prints."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from harness.executors._setup import environment

CLUSTERS: Final = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


@contextlib.contextmanager
def on_this_machine(ray: Any) -> Iterator[None]:
    """Has Ray start so that all its processes listen on the loopback address only.

    Ray has no authentication: a process that reaches its ports runs code as the user who started it. Where Ray allows
    clusters, it replaces a loopback address by one that others reach. The variable that forbids clusters is read by
    each of its processes, and this one has read it if Ray is imported.
    """
    constants = getattr(getattr(ray, "_private", None), "ray_constants", None)
    before = getattr(constants, "ENABLE_RAY_CLUSTER", None)
    with environment({CLUSTERS: "0"}):
        if before is not None:
            constants.ENABLE_RAY_CLUSTER = False  # type: ignore[union-attr]
        try:
            yield
        finally:
            if before is not None:
                constants.ENABLE_RAY_CLUSTER = before  # type: ignore[union-attr]


def mute(ray: Any, *, muted: bool) -> None:
    """Stops Ray from printing lost workers to standard output, where the board goes; it has no setting for that."""
    with contextlib.suppress(AttributeError):
        ray._private.worker._worker_logs_enabled = not muted
