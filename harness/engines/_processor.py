"""The processor and its instruction sets."""

from __future__ import annotations

import functools
import platform
import sys
from pathlib import Path

PROCESSOR = Path("/proc/cpuinfo")
NODES = ("nvidia*", "kfd", "dxg", "dri/renderD*", "accel*", "davinci*", "hl*")
"""Of graphics cards and other accelerators, in /dev."""


@functools.cache
def processor() -> tuple[str, frozenset[str]]:
    """The processor's name and its instruction sets, as Linux reports them; elsewhere only the name."""
    fields: dict[str, str] = {}
    try:
        for line in PROCESSOR.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    except OSError:
        pass
    flags = fields.get("flags") or fields.get("Features") or ""
    return fields.get("model name") or platform.processor() or platform.machine(), frozenset(flags.split())


def may_have_accelerator() -> bool:
    """Whether torch could find another device than the CPU; False only where Linux has no node of any."""
    return sys.platform != "linux" or any(next(Path("/dev").glob(node), None) for node in NODES)


def multiplies_bf16() -> bool:
    """Whether the processor has instructions for products of bf16, without which they are slower than those of fp32."""
    return bool(processor()[1] & {"avx512_bf16", "amx_bf16", "bf16"})
