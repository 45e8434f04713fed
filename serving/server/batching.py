"""Joins concurrent requests into one call of the model, and takes the answer apart.

A batch is sent as soon as a worker is free: an idle server adds no latency, and a
busy one collects what arrives in the meantime. `max_wait_ms` makes an idle worker wait
for company, which trades latency for throughput.
"""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from schema import settings
from serving.bundle import faults, signature, validation

_CHEAP_WIDTH = 128


def stack_requests(requests: Sequence[signature.Tensors]) -> signature.Tensors:
    """Returns the rows of all requests as one batch, padded at the end.

    Args:
      requests: Inputs with equal names, types and ranks; shapes [rows, ...].

    Returns:
      Arrays [sum of rows, ...] whose other dimensions are the largest that came.
    """
    if len(requests) == 1:
        return requests[0]
    stacked = {}
    for name, first in requests[0].items():
        arrays = [request[name] for request in requests]
        inner = tuple(
            max(sizes) for sizes in zip(*(a.shape[1:] for a in arrays), strict=True)
        )
        rows = sum(len(array) for array in arrays)
        padding = signature.PADDING.get(validation.dtype_name(first), 0)
        batch = np.full((rows, *inner), padding, dtype=first.dtype)
        start = 0
        for array in arrays:
            window = (
                slice(start, start + len(array)),
                *(slice(size) for size in array.shape[1:]),
            )
            batch[window] = array
            start += len(array)
        stacked[name] = batch
    return stacked


def split_outputs(
    outputs: signature.Tensors, requests: Sequence[signature.Tensors]
) -> list[signature.Tensors]:
    """Returns each request's part of a batch's answer.

    Outputs that are as wide as the largest `k` of the batch are cut to the largest
    `k` of the request itself: what it would have got alone.

    Args:
      outputs: Arrays [sum of rows, ...].
      requests: The inputs that `stack_requests` joined, in the same order.
    """
    first_input = next(iter(requests[0]))
    widths = [_max_k(request) for request in requests]
    widest = max(widths)
    answers = []
    start = 0
    for request, width in zip(requests, widths, strict=True):
        stop = start + len(request[first_input])
        answer = {}
        for name, array in outputs.items():
            rows = array[start:stop]
            if array.ndim == 2 and array.shape[1] == widest:
                rows = rows[:, :width]
            answer[name] = rows
        answers.append(answer)
        start = stop
    return answers


def _max_k(request: signature.Tensors) -> int:
    """Returns the width of a request's own answer; -1 where it asks for none."""
    ks = request.get(signature.K)
    return -1 if ks is None else int(ks.max())


def size_class(inputs: signature.Tensors) -> int:
    """Returns a class of widths; requests of one class may share a call.

    All rows of a call are padded to the widest. Up to 127 columns (ordinary histories)
    that is cheap, and are one class; wider requests share calls with those up to twice
    as wide, so that nobody computes another one's width.
    """
    widest = max((max(a.shape[1:], default=0) for a in inputs.values()), default=0)
    return (widest // _CHEAP_WIDTH).bit_length()


@dataclasses.dataclass(eq=False)
class _Waiting:
    inputs: signature.Tensors
    rows: int
    size_class: int
    since: float
    answer: asyncio.Future[signature.Tensors]


class Batcher:
    """Queues requests of one signature of one model; lives in the event loop."""

    def __init__(
        self,
        run: Callable[[signature.Tensors], signature.Tensors],
        executor: concurrent.futures.Executor,
        chosen: settings.ServingSettings,
        on_batch: Callable[[int], None] = lambda rows: None,
    ) -> None:
        """Prepares an empty queue.

        Args:
          run: Calls the model with one batch; blocking, thread safe.
          executor: Runs it, so that the event loop is never blocked.
          chosen: Sizes and waits.
          on_batch: Told the rows of each call of the model.
        """
        self._run = run
        self._on_batch = on_batch
        self._executor = executor
        self._settings = chosen
        self._queue: collections.deque[_Waiting] = collections.deque()
        self._queued_rows = 0
        self._running = 0
        self._timer: asyncio.Handle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, inputs: signature.Tensors, rows: int) -> signature.Tensors:
        """Returns the model's answer to one request.

        Args:
          inputs: Checked inputs, [rows, ...].
          rows: Their first dimension.

        Raises:
          RequestError: UNAVAILABLE when too many rows wait already.
        """
        if self._queue and self._queued_rows + rows > self._settings.max_queued_rows:
            raise faults.RequestError(
                "UNAVAILABLE",
                f"the server is overloaded: {self._queued_rows} rows wait already; "
                "try again later",
            )
        loop = asyncio.get_running_loop()
        waiting = _Waiting(
            inputs, rows, size_class(inputs), loop.time(), loop.create_future()
        )
        self._queue.append(waiting)
        self._queued_rows += rows
        # Not at once: requests that arrived in the same turn of the loop join.
        if self._queued_rows >= self._settings.max_batch_rows or self._timer is None:
            self._schedule(0.0)
        return await waiting.answer

    def _schedule(self, delay_sec: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_sec, self._dispatch)

    def _dispatch(self) -> None:
        self._timer = None
        while self._queue and self._running < self._settings.workers():
            waited = asyncio.get_running_loop().time() - self._queue[0].since
            remaining = self._settings.max_wait_ms / 1_000 - waited
            if self._queued_rows < self._settings.max_batch_rows and remaining > 0:
                self._schedule(remaining)
                return
            if batch := self._take():
                self._running += 1
                self._on_batch(sum(waiting.rows for waiting in batch))
                task = asyncio.get_running_loop().create_task(self._answer(batch))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _take(self) -> list[_Waiting]:
        """Returns the oldest request and those of its class that fit, in order."""
        batch: list[_Waiting] = []
        passed_over: list[_Waiting] = []
        rows = 0
        while self._queue:
            waiting = self._queue.popleft()
            # The caller hung up or ran out of time: do not compute for nobody.
            if waiting.answer.done():
                self._queued_rows -= waiting.rows
            elif batch and waiting.size_class != batch[0].size_class:
                passed_over.append(waiting)
            elif batch and rows + waiting.rows > self._settings.max_batch_rows:
                passed_over.append(waiting)
                break
            else:
                self._queued_rows -= waiting.rows
                batch.append(waiting)
                rows += waiting.rows
        self._queue.extendleft(reversed(passed_over))
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        try:
            answers = await self._call([waiting.inputs for waiting in batch])
            for waiting, answer in zip(batch, answers, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)
        except Exception as error:
            if len(batch) == 1:
                if not batch[0].answer.done():
                    batch[0].answer.set_exception(error)
            else:
                # One bad request must not fail its neighbours: ask one by one.
                for waiting in batch:
                    await self._answer_alone(waiting)
        finally:
            self._running -= 1
            if self._queue:
                self._schedule(0.0)

    async def _answer_alone(self, waiting: _Waiting) -> None:
        try:
            (answer,) = await self._call([waiting.inputs])
        except Exception as error:
            if not waiting.answer.done():
                waiting.answer.set_exception(error)
        else:
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    async def _call(self, requests: list[signature.Tensors]) -> list[signature.Tensors]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._call_now, requests)

    def _call_now(self, requests: list[signature.Tensors]) -> list[signature.Tensors]:
        return split_outputs(self._run(stack_requests(requests)), requests)

    async def drain(self) -> None:
        """Returns when every request that was accepted has its answer."""
        while self._queue or self._tasks:
            if self._tasks:
                await asyncio.wait(set(self._tasks))
            else:
                await asyncio.sleep(0.001)
