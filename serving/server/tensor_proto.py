"""Turns TensorProtos of a request into checked numpy arrays.

Imported by the server alone: the official messages pull in TensorFlow.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import types_pb2

from serving.bundle import faults

# TensorProto's typed field for each type; `tensor_content` holds raw bytes instead.
_FIELDS = {
    types_pb2.DT_STRING: "string_val",
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_BOOL: "bool_val",
}


def to_array(name: str, proto: Any, max_elements: int) -> NDArray[Any]:
    """Returns a TensorProto's values.

    Args:
      name: The input, for errors.
      proto: `tensorflow.TensorProto`, in typed fields or `tensor_content`.
      max_elements: Refuses larger tensors before anything is allocated: a shape of
        a few bytes can announce gigabytes.

    Returns:
      An array of the proto's shape; text as an object array of bytes.

    Raises:
      RequestError: INVALID_ARGUMENT for a type that no signature takes, an
        incomplete shape, or values that do not fit the shape.
    """
    if proto.dtype not in _FIELDS:
        raise faults.invalid(
            f'input "{name}" has the unsupported type '
            f"{types_pb2.DataType.Name(proto.dtype)}"
            if proto.dtype in types_pb2.DataType.values()
            else f'input "{name}" has the unknown type number {proto.dtype}'
        )
    shape = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise faults.invalid(
            f'input "{name}" must give every dimension of its shape; got {shape}'
        )
    size = math.prod(shape)
    if size > max_elements:
        raise faults.invalid(
            f'input "{name}" may hold at most {max_elements} elements; its shape '
            f"{shape} has {size}"
        )
    field = _FIELDS[proto.dtype]
    if proto.tensor_content and field != "string_val":
        num_bytes = size * tf.dtypes.as_dtype(proto.dtype).size
        if len(proto.tensor_content) != num_bytes:
            raise faults.invalid(
                f'input "{name}" of shape {shape} needs {num_bytes} bytes '
                f"of tensor_content; got {len(proto.tensor_content)}"
            )
    else:
        num_values = len(getattr(proto, field))
        # TensorFlow's compressed form: one value that fills the whole shape.
        if num_values != size and not (num_values == 1 and size > 1):
            raise faults.invalid(
                f'input "{name}" of shape {shape} needs {size} values in {field}; got '
                f"{num_values}"
            )
    array: NDArray[Any] = tf.make_ndarray(proto)
    return array
