"""Turns TensorProtos of a request into checked numpy arrays, and answers back.

Imported by the server alone: the official messages pull in TensorFlow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.bundle import faults

# TensorProto's typed field for each type; `tensor_content` holds raw bytes instead.
_FIELDS: dict[int, tuple[str, Any]] = {
    types_pb2.DT_STRING: ("string_val", np.dtype(object)),
    types_pb2.DT_FLOAT: ("float_val", np.dtype("<f4")),
    types_pb2.DT_DOUBLE: ("double_val", np.dtype("<f8")),
    types_pb2.DT_INT32: ("int_val", np.dtype("<i4")),
    types_pb2.DT_INT64: ("int64_val", np.dtype("<i8")),
    types_pb2.DT_BOOL: ("bool_val", np.dtype(bool)),
}
_TYPES = {
    "float32": types_pb2.DT_FLOAT,
    "float64": types_pb2.DT_DOUBLE,
    "int32": types_pb2.DT_INT32,
    "int64": types_pb2.DT_INT64,
    "bool": types_pb2.DT_BOOL,
}


def to_array(name: str, proto: Any, max_elements: int) -> np.ndarray:
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
    field, dtype = _FIELDS[proto.dtype]
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
    if proto.tensor_content and dtype.kind != "O":
        if len(proto.tensor_content) != size * dtype.itemsize:
            raise faults.invalid(
                f'input "{name}" of shape {shape} needs {size * dtype.itemsize} bytes '
                f"of tensor_content; got {len(proto.tensor_content)}"
            )
        return np.frombuffer(proto.tensor_content, dtype=dtype).reshape(shape)
    values = getattr(proto, field)
    # TensorFlow's compressed form: one value that fills the whole shape.
    if len(values) != size and not (len(values) == 1 and size > 1):
        raise faults.invalid(
            f'input "{name}" of shape {shape} needs {size} values in {field}; got '
            f"{len(values)}"
        )
    array = np.empty(size, dtype=dtype)
    array[:] = values if len(values) == size else values[0]
    return array.reshape(shape)


def from_array(array: np.ndarray) -> Any:
    """Returns a TensorProto; text in `string_val`, numbers in `tensor_content`."""
    proto = tensor_pb2.TensorProto()
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    if array.dtype.kind in "OSU":
        proto.dtype = types_pb2.DT_STRING
        proto.string_val.extend(
            value.encode() if isinstance(value, str) else value for value in array.flat
        )
    else:
        proto.dtype = _TYPES[array.dtype.name]
        proto.tensor_content = np.ascontiguousarray(array).tobytes()
    return proto
