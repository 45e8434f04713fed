"""One loaded version of a model: its checks, its queues and its warm-up."""

from __future__ import annotations

import concurrent.futures
import logging

import numpy as np

from schema import settings
from serving.bundle import (
    faults,
    histories,
    manifest,
    saved_model,
    signature,
    validation,
    versions,
    vocabulary,
)
from serving.server import batching, bulk, metrics, pieces

log = logging.getLogger(__name__)

_MAX_WARNINGS = 20
"""Unknown actions of one version that are logged, each once; all are counted."""


class Servable:
    """One loaded version with a queue for each of its signatures."""

    def __init__(
        self,
        version: versions.VersionDir,
        model: saved_model.RetrievalModel,
        executor: concurrent.futures.Executor,
        chosen: settings.ServingSettings,
        counters: metrics.Metrics,
    ) -> None:
        """Wraps a loaded model.

        Args:
          version: Where it came from.
          model: The loaded model.
          executor: Runs the model's calls.
          chosen: Sizes, waits and limits.
          counters: Told of calls, and of names that the model does not know.
        """
        self.version = version
        self.model = model
        self._settings = chosen
        self._max_length = manifest.max_length(version.path)
        self._vocabulary = vocabulary.read(version.path)
        self._counters = counters
        self._warned_of: set[str] = set()
        # A request of a signature without batch dimension cannot share a call.
        alone = chosen.model_copy(update={"max_batch_rows": 1})
        self._batchers = {
            name: batching.Batcher(
                lambda inputs, name=name: model.run(inputs, name),  # type: ignore[misc]
                executor,
                chosen if one.is_batchable() else alone,
                counters.count_batch,
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
        self._look_for_unknown(inputs)
        if self._max_length is not None and signature.REQUEST_INPUTS.keys() <= (
            inputs.keys()
        ):
            inputs = histories.keep_newest(inputs, self._max_length)
        return inputs, rows

    def _look_for_unknown(self, inputs: signature.Tensors) -> None:
        """Counts names that the model does not know; may refuse unknown actions."""
        item_id = inputs.get(signature.HISTORY_ITEM_ID)
        if item_id is not None:
            num_items = self._vocabulary.count_unknown_items(item_id)
            self._counters.count_unknown_items(num_items)
        actions = inputs.get(signature.HISTORY_ACTION)
        if actions is None:
            return
        unknown = self._vocabulary.unknown_actions(actions)
        if not unknown:
            return
        self._counters.count_unknown_actions(sum(unknown.values()))
        known = ", ".join(sorted(self._vocabulary.actions))
        if self._settings.unknown_actions == "refuse":
            name = next(iter(unknown))
            raise faults.invalid(
                f'input "history_action" has the action "{name[:80]}", which the '
                f"model's feedback policy does not know; it knows {known}"
            )
        for name in unknown.keys() - self._warned_of:
            if len(self._warned_of) < _MAX_WARNINGS:
                self._warned_of.add(name)
                log.warning(
                    "version %d was asked with the action %r, which its feedback "
                    "policy does not know: it is no feedback. It knows %s",
                    self.version.number,
                    name[:80],
                    known,
                )

    async def drain(self) -> None:
        """Returns when all accepted requests are answered."""
        for batcher in self._batchers.values():
            await batcher.drain()


def warm_up(model: saved_model.RetrievalModel, max_rows: int) -> None:
    """Calls each signature with one row, and the default one with many.

    The first calls of a graph are slow, as kernels and buffers are set up; and a
    model that cannot answer at all should not take traffic.
    """
    for name in model.signatures:
        model.run(_padding(model.signatures[name], 1), name)
    default = model.signatures[signature.DEFAULT_SIGNATURE]
    if max_rows > 1 and default.is_batchable():
        model.run(_padding(default, max_rows))


def _padding(one: signature.Signature, rows: int) -> signature.Tensors:
    """Returns inputs of users of whom nothing is known."""
    inputs = {}
    for name, spec in one.inputs.items():
        sizes = [1 if size is None else size for size in (spec.shape or ())]
        shape = (rows, *sizes[1:]) if sizes else ()
        if name == signature.K:
            inputs[name] = np.full(shape, 10, dtype=spec.dtype)
        elif spec.dtype == "string":
            inputs[name] = np.full(shape, b"", dtype=object)
        else:
            padding = signature.PADDING.get(spec.dtype, 0)
            inputs[name] = np.full(shape, padding, dtype=spec.dtype)
    return inputs
