"""Matrix products of bfloat16 factors, for the large ones of a training step."""

from __future__ import annotations

import os

import tensorflow as tf

_CPU_INFO = "/proc/cpuinfo"
_BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""Linux's names on x86 and, the last, on ARM."""


def product(
    a: tf.Tensor, b: tf.Tensor, mixed_precision: bool, **transpose: bool
) -> tf.Tensor:
    """Returns a matrix product, float32.

    In mixed precision the factors are rounded to bfloat16, eight bits, which
    processors made for it multiply twice as fast; what goes in and what follows,
    states, softmax, loss and weights, stays float32, where small differences matter.

    Args:
      a: [m, k] float32.
      b: [k, n] float32.
      mixed_precision: whether factors and result are rounded.
      **transpose: as of `tf.matmul`.
    """
    if not mixed_precision:
        return tf.matmul(a, b, **transpose)
    rounded = tf.cast(a, tf.bfloat16), tf.cast(b, tf.bfloat16)
    return tf.cast(tf.matmul(*rounded, **transpose), tf.float32)


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
