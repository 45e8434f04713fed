"""The serving contract: names, types and padding of the signatures.

Every input has the batch as its first dimension. The other dimensions may differ
between requests, so each type has one padding value that the model ignores.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from numpy.typing import NDArray

Tensors: TypeAlias = dict[str, NDArray[Any]]
"""Inputs or outputs of one call, by name; the first dimension is the batch."""

DEFAULT_MODEL_NAME = "heed"
DEFAULT_SIGNATURE = "serving_default"
FILTERED_SIGNATURE = "filtered"
CONTROLLED_SIGNATURE = "controlled"
SIMILAR_SIGNATURE = "similar"
DIVERSE_SIGNATURE = "diverse"

HISTORY_ITEM_ID = "history_item_id"
HISTORY_ACTION = "history_action"
HISTORY_TIMESTAMP = "history_timestamp"
HISTORY_VALUE = "history_value"
EXCLUDE_ITEM_ID = "exclude_item_id"
K = "k"
CATEGORY = "category"
CREATOR_ID = "creator_id"
USER_CONTROL = "user_control"
MOST_OF_CREATOR = "most_of_creator"
MOST_OF_CATEGORY = "most_of_category"
ITEM_ID = "item_id"
SCORE = "score"

HISTORY_INPUTS = (HISTORY_ITEM_ID, HISTORY_ACTION, HISTORY_TIMESTAMP, HISTORY_VALUE)
"""Aligned: position j of each describes one interaction, so shapes are equal."""

MAX_USER_CONTROL = 2.0
"""Twice the answer to dislikes that the model was made for."""

PADDING: dict[str, bytes | int | float] = {
    "string": b"",
    "int32": 0,
    "int64": 0,
    "float32": float("nan"),
}
"""What fills the positions that a shorter row does not have, by dtype."""

OUTPUT_PADDING: dict[str, bytes | float] = {"string": b"", "float32": float("-inf")}
"""The same of the outputs: what is not there ranks last."""


class TensorSpec(NamedTuple):
    """The declared type of one input or output tensor.

    Attributes:
      dtype: TensorFlow's name of the type, such as `string` or `int64`.
      shape: One entry a dimension; None where any size is allowed. None for the
        whole shape where even the rank is open.
    """

    dtype: str
    shape: tuple[int | None, ...] | None

    def describe(self) -> str:
        """Returns text such as `string [batch, *]` for error messages."""
        if self.shape is None:
            return f"{self.dtype} of any shape"
        sizes = ["*" if size is None else str(size) for size in self.shape]
        if sizes and self.shape[0] is None:
            sizes[0] = "batch"
        return f"{self.dtype} [{', '.join(sizes)}]"


class Signature(NamedTuple):
    """Inputs and outputs of one callable of a SavedModel, by name."""

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]

    def is_batchable(self) -> bool:
        """Returns whether rows of several requests may share one call."""
        specs = [*self.inputs.values(), *self.outputs.values()]
        return bool(self.inputs) and all(
            spec.shape is not None and len(spec.shape) > 0 and spec.shape[0] is None
            for spec in specs
        )


_MATRIX, _VECTOR = (None, None), (None,)
REQUEST_INPUTS = {
    HISTORY_ITEM_ID: TensorSpec("string", _MATRIX),
    HISTORY_ACTION: TensorSpec("string", _MATRIX),
    HISTORY_TIMESTAMP: TensorSpec("int64", _MATRIX),
    HISTORY_VALUE: TensorSpec("float32", _MATRIX),
    EXCLUDE_ITEM_ID: TensorSpec("string", _MATRIX),
    K: TensorSpec("int32", _VECTOR),
}
"""What `serving_default` takes."""
FILTERED_INPUTS = {
    **REQUEST_INPUTS,
    CATEGORY: TensorSpec("string", _MATRIX),
    CREATOR_ID: TensorSpec("string", _MATRIX),
}
"""What `filtered` takes."""
CONTROLLED_INPUTS = {**REQUEST_INPUTS, USER_CONTROL: TensorSpec("float32", _VECTOR)}
"""What `controlled` takes. `user_control` is in [0, `MAX_USER_CONTROL`]; NaN: as the
model is served."""
DIVERSE_INPUTS = {
    **CONTROLLED_INPUTS,
    MOST_OF_CREATOR: TensorSpec("int32", _VECTOR),
    MOST_OF_CATEGORY: TensorSpec("int32", _VECTOR),
}
"""What `diverse` takes: how many items of one creator, and of one category, a slate may
hold; 0: any number."""
SIMILAR_INPUTS = {
    ITEM_ID: TensorSpec("string", _MATRIX),
    EXCLUDE_ITEM_ID: TensorSpec("string", _MATRIX),
    K: TensorSpec("int32", _VECTOR),
}
"""What `similar` takes: items, none of which is in the answer."""
INPUTS = {
    DEFAULT_SIGNATURE: REQUEST_INPUTS,
    FILTERED_SIGNATURE: FILTERED_INPUTS,
    CONTROLLED_SIGNATURE: CONTROLLED_INPUTS,
    DIVERSE_SIGNATURE: DIVERSE_INPUTS,
    SIMILAR_SIGNATURE: SIMILAR_INPUTS,
}
"""What each signature takes."""
