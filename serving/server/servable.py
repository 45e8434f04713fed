"""One loaded version of a model: its checks, its queues and its warm-up."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable

import numpy as np

from schema import settings
from serving.bundle import (
    histories,
    manifest,
    saved_model,
    signature,
    validation,
    versions,
)
from serving.server import batching, bulk, pieces


class Servable:
    """One loaded version with a queue for each of its signatures."""

    def __init__(
        self,
        version: versions.VersionDir,
        model: saved_model.RetrievalModel,
        executor: concurrent.futures.Executor,
        chosen: settings.ServingSettings,
        on_batch: Callable[[int], None],
    ) -> None:
        """Wraps a loaded model.

        Args:
          version: Where it came from.
          model: The loaded model.
          executor: Runs the model's calls.
          chosen: Sizes, waits and limits.
          on_batch: Told the rows of each call of the model.
        """
        self.version = version
        self.model = model
        self._settings = chosen
        self._max_length = manifest.max_length(version.path)
        # A request of a signature without batch dimension cannot share a call.
        alone = chosen.model_copy(update={"max_batch_rows": 1})
        self._batchers = {
            name: batching.Batcher(
                lambda inputs, name=name: model.run(inputs, name),  # type: ignore[misc]
                executor,
                chosen if one.is_batchable() else alone,
                on_batch,
            )
            for name, one in model.signatures.items()
        }

    async def predict(
        self, inputs: signature.Tensors, signature_name: str
    ) -> signature.Tensors:
        """Returns the answer to one request, after checks; raises RequestError."""
        size = sum(array.size for array in inputs.values())
        checked, rows = await bulk.run(
            lambda: self._prepare(inputs, signature_name), size
        )
        batcher = self._batchers[signature_name]
        most = self._settings.max_call_rows
        if rows <= most or not self.model.signatures[signature_name].is_batchable():
            return await batcher.submit(checked, rows)
        answers = []
        for piece in pieces.split(checked, rows, most):
            piece_rows = len(next(iter(piece.values())))
            answers.append(await batcher.submit(piece, piece_rows))
        return pieces.join(answers)

    def _prepare(
        self, inputs: signature.Tensors, signature_name: str
    ) -> tuple[signature.Tensors, int]:
        """Returns what the model is asked, and its rows; raises RequestError."""
        spec = self.model.find_signature(signature_name)
        rows = validation.check_inputs(inputs, spec.inputs, self._settings)
        if self._max_length is not None and signature.REQUEST_INPUTS.keys() <= (
            inputs.keys()
        ):
            inputs = histories.keep_newest(inputs, self._max_length)
        return inputs, rows

    async def drain(self) -> None:
        """Returns when all accepted requests are answered."""
        for batcher in self._batchers.values():
            await batcher.drain()


def warm_up(model: saved_model.RetrievalModel, max_rows: int) -> None:
    """Calls the model with one and with many rows.

    The first calls of a graph are slow, as kernels and buffers are set up; and a
    model that cannot answer at all should not take traffic.
    """
    spec = model.signatures[signature.DEFAULT_SIGNATURE]
    for rows in sorted({1, max(1, max_rows)}):
        inputs = {}
        for name, one in spec.inputs.items():
            sizes = [1 if size is None else size for size in (one.shape or ())]
            shape = (rows, *sizes[1:])
            if name == signature.K:
                inputs[name] = np.full(shape, 10, dtype=one.dtype)
            elif one.dtype == "string":
                inputs[name] = np.full(shape, b"", dtype=object)
            else:
                inputs[name] = np.zeros(shape, dtype=one.dtype)
        model.run(inputs)
