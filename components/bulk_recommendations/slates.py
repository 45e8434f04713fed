"""Asks the served model for the slates of a shard, in batches of like length."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from components.bulk_recommendations import history_file, store
from components.event_example_gen import encoding, interactions
from schema import files
from serving.bundle import histories, manifest, saved_model, signature, wishes

_MOST_ROWS = 256
_MOST_CELLS = 2**20
"""Elements of the histories of a batch: some hundred megabytes at most."""
_MOST_SCORES = 2**26
"""Rows times candidates: an exact search holds as many floats."""
Ask = Callable[[signature.Tensors], signature.Tensors]


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked for every user."""

    model_dir: str
    """The version that answers."""
    action_names: tuple[str, ...]
    """Of its feedback policy, sorted."""
    k: int
    exclude: tuple[str, ...] = ()
    """Items that nobody must be given."""
    wished: wishes.Wishes = wishes.Wishes()  # noqa: RUF009 - immutable


def batches(
    lengths: NDArray[np.int64], most_rows: int, most_cells: int = _MOST_CELLS
) -> Iterator[NDArray[np.int64]]:
    """Yields groups of users of like length, shortest first, that cover all.

    Args:
      lengths: [users] of the histories.
      most_rows: of a group.
      most_cells: rows times the longest history of a group; one user may have more.

    Example:
      >>> [group.tolist() for group in batches(np.array([9, 1, 2]), 2, 10)]
      [[1, 2], [0]]
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        end = start + 1
        while (
            end < min(len(order), start + most_rows)
            and (end + 1 - start) * int(lengths[order[end]]) <= most_cells
        ):
            end += 1
        yield order[start:end]
        start = end


def inputs_of(
    history: interactions.Interactions, users: NDArray[np.int64], request: Request
) -> signature.Tensors:
    """Returns the inputs of some users, as `serving.requests.build_inputs` makes them.

    Args:
      history: of a shard's users.
      users: [batch] indices into its user ids.
      request: what is asked.
    """
    begin, end = history.user_begin[users], history.user_begin[users + 1]
    lengths = end - begin
    width = max(1, int(lengths.max()))
    place = begin[:, None] + np.arange(width)[None, :]
    is_element = place < end[:, None]
    element = place[is_element]
    codes, texts = encoding.action_texts(history.actions[element], request.action_names)
    item_ids = history.item_ids.cast(pa.binary()).to_numpy(zero_copy_only=False)
    columns = {
        signature.HISTORY_ITEM_ID: item_ids[history.item[element]],
        signature.HISTORY_ACTION: np.array([t.encode() for t in texts], object)[codes],
        signature.HISTORY_TIMESTAMP: history.timestamp[element],
        signature.HISTORY_VALUE: history.value[element].astype(np.float32),
    }
    inputs = {}
    for name, column in columns.items():
        dtype = signature.REQUEST_INPUTS[name].dtype
        array = np.full(
            is_element.shape,
            signature.PADDING[dtype],
            object if dtype == "string" else dtype,
        )
        array[is_element] = column
        inputs[name] = array
    exclude = [item.encode() for item in request.exclude]
    excluded = np.full((len(users), len(exclude)), b"", object)
    excluded[:] = exclude
    inputs[signature.EXCLUDE_ITEM_ID] = excluded
    inputs[signature.K] = np.full(len(users), request.k, np.int32)
    return {**inputs, **request.wished.inputs(len(users))}


def answer(
    history: interactions.Interactions,
    request: Request,
    ask: Ask,
    max_length: int | None,
    most_rows: int = _MOST_ROWS,
) -> pa.Table:
    """Returns the slates of a shard's users, in the order of their ids.

    Args:
      history: of a shard's users.
      request: what is asked.
      ask: calls the model with one batch.
      max_length: elements that the model reads; older items become exclusions. None:
        it is not known.
      most_rows: of a batch.

    Returns:
      A table of `store.SCHEMA`.
    """
    num_users = len(history.user_ids)
    slates: list[list[str]] = [[]] * num_users
    scores: list[NDArray[np.float32]] = [np.zeros(0, np.float32)] * num_users
    for users in batches(np.diff(history.user_begin), most_rows):
        inputs = inputs_of(history, users, request)
        if max_length is not None:
            inputs = histories.keep_newest(inputs, max_length)
        outputs = ask(inputs)
        item_id, score = outputs[signature.ITEM_ID], outputs[signature.SCORE]
        for row, user in enumerate(users.tolist()):
            filled = item_id[row] != b""
            slates[user] = [item.decode() for item in item_id[row][filled]]
            scores[user] = score[row][filled]
    return pa.table([history.user_ids, slates, scores], schema=store.SCHEMA)


@functools.lru_cache(maxsize=1)
def load(model_dir: str) -> saved_model.RetrievalModel:
    """Returns the model; a process loads it once, however many workers it has."""
    return saved_model.load_exported(model_dir)


class WriteSlates(beam.DoFn):
    """Writes the shards whose numbers come."""

    def __init__(self, output: store.Store, request: Request):
        """Takes where the histories lie, and what is asked."""
        self._output = output
        self._request = request

    def process(self, number: int) -> Iterator[int]:
        """Yields the number of users of the shard that was written."""
        try:
            content = files.read_bytes(self._output.history(number))
        except FileNotFoundError:  # no user has this hash
            table = store.SCHEMA.empty_table()
        else:
            table = self._answer(history_file.from_ipc(content))
        sink = pa.BufferOutputStream()
        parquet.write_table(table, sink, compression="zstd")
        files.write_atomically(self._output.shard(number), [sink.getvalue()])
        yield table.num_rows

    def _answer(self, history: interactions.Interactions) -> pa.Table:
        model = load(self._request.model_dir)
        candidates = max(1, manifest.read(model.directory).get("num_candidates", 1))
        return answer(
            history,
            self._request,
            lambda inputs: model.run(inputs, self._request.wished.signature_name()),
            manifest.max_length(model.directory),
            max(1, min(_MOST_ROWS, _MOST_SCORES // candidates)),
        )
