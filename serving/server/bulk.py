"""Keeps large requests off the event loop, where they would hold up everybody.

One thread does it for the whole process: large requests wait for each other, and small
ones for none of them. Small ones are not worth the way to a thread and back.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import TypeVar

LARGE = 10_000
"""Elements (or tens of bytes of JSON) that take about a millisecond."""

_THREAD = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="bulk")
_Result = TypeVar("_Result")


async def run(work: Callable[[], _Result], size: int) -> _Result:
    """Returns `work()`, called in the thread if it is large.

    Args:
      work: Pure Python or numpy, blocking.
      size: How many elements it goes through.
    """
    if size < LARGE:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_THREAD, work)
