"""The processor and its instruction sets."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

PROCESSOR = Path("/proc/cpuinfo")


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


def multiplies_bf16() -> bool:
    """Whether the processor has instructions for products of bf16, without which they are slower than those of fp32."""
    return bool(processor()[1] & {"avx512_bf16", "amx_bf16", "bf16"})
