"""What the processor can do, as far as training depends on it."""

from __future__ import annotations

import os

_CPU_INFO = "/proc/cpuinfo"
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Linux's names on x86 and, the last, on ARM."""


def multiplies_bfloat16(cpu_info: str | None = None) -> bool:
    """Returns whether the processor has instructions for products of bfloat16.

    Without them such a product takes two to three times as long as one of float32.

    Args:
      cpu_info: the text of /proc/cpuinfo; default: this machine's, False elsewhere.

    Example:
      >>> multiplies_bfloat16("flags : fpu avx512f avx512_bf16")
      True
    """
    if cpu_info is None:
        if not os.path.exists(_CPU_INFO):
            return False
        with open(_CPU_INFO, encoding="utf-8") as file:
            cpu_info = file.read()
    for line in cpu_info.splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() in ("flags", "features"):
            return bool(_BFLOAT16_FLAGS & set(value.split()))
    return False
