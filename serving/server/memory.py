"""Gives back the memory of a version that has answered its last request."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def settle() -> None:
    """Exempts all that was imported so far from garbage collection.

    TensorFlow is a million objects. To go through them takes a good part of a second,
    in which nobody is answered, and finds nothing.
    """
    gc.collect()
    gc.freeze()


def release() -> None:
    """Collects a model that nobody refers to any more; blocks.

    A model is full of circles, and the collector of the oldest generation may not run
    for hours. What glibc has got back it keeps, unless it is told.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)
