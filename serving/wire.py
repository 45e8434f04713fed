"""The messages of TensorFlow Serving's Predict call, without TensorFlow.

The official stubs import TensorFlow, which takes ten seconds and a gigabyte: too much
for an application that sends a history and reads a slate. The few messages that the
call needs are declared here with the field numbers of the public API.

Why no `.proto` with generated code: what protoc writes is promised to work with the
protobuf of its own major version and the next. TFX pins 3.20, and an application that
uses the client has what it has; this table works with every one from 3.20 to 7. Nor
does it need a descriptor in the default pool, where the official messages live.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from numpy.typing import NDArray

from serving.bundle import signature

PREDICT_METHOD = "/tensorflow.serving.PredictionService/Predict"

_PACKAGE = "heed.wire"
_FIELD = descriptor_pb2.FieldDescriptorProto

# TensorFlow's DataType numbers.
_DT_FLOAT, _DT_INT32, _DT_STRING, _DT_INT64 = 1, 3, 7, 9
_NUMBERS = {"float32": _DT_FLOAT, "int32": _DT_INT32, "int64": _DT_INT64}
_DTYPES = {
    _DT_FLOAT: ("float_val", "<f4"),
    _DT_INT32: ("int_val", "<i4"),
    _DT_INT64: ("int64_val", "<i8"),
}

# Message -> (field, number, type, repeated). Types: a scalar of protobuf or a message
# above; `map` means map<string, TensorProto>. The enum DataType is an int32 on the
# wire.
_MESSAGES: dict[str, list[tuple[str, int, str, bool]]] = {
    "Dim": [("size", 1, "int64", False)],
    "TensorShapeProto": [
        ("dim", 2, "Dim", True),
        ("unknown_rank", 3, "bool", False),
    ],
    "TensorProto": [
        ("dtype", 1, "int32", False),
        ("tensor_shape", 2, "TensorShapeProto", False),
        ("tensor_content", 4, "bytes", False),
        ("float_val", 5, "float", True),
        ("int_val", 7, "int32", True),
        ("string_val", 8, "bytes", True),
        ("int64_val", 10, "int64", True),
    ],
    "Int64Value": [("value", 1, "int64", False)],
    "ModelSpec": [
        ("name", 1, "string", False),
        ("version", 2, "Int64Value", False),
        ("signature_name", 3, "string", False),
        ("version_label", 4, "string", False),
    ],
    "PredictRequest": [
        ("model_spec", 1, "ModelSpec", False),
        ("inputs", 2, "map", True),
        ("output_filter", 3, "string", True),
    ],
    "PredictResponse": [
        ("outputs", 1, "map", True),
        ("model_spec", 2, "ModelSpec", False),
    ],
}


@functools.cache
def message_class(name: str) -> Any:
    """Returns the class of one message, such as `PredictRequest`."""
    descriptor = _pool().FindMessageTypeByName(f"{_PACKAGE}.{name}")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(_pool()).GetPrototype(descriptor)


@functools.cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(
        name="heed/wire.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields:
            _add_field(message, *field)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def _add_field(
    message: descriptor_pb2.DescriptorProto,
    name: str,
    number: int,
    type_name: str,
    repeated: bool,
) -> None:
    field = message.field.add(name=name, number=number)
    field.label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
    if type_name == "map":
        # A map is, on the wire, a repeated message of key and value.
        entry = message.nested_type.add(name=f"{name.capitalize()}Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", 1, "string", False)
        _add_field(entry, "value", 2, "TensorProto", False)
        field.type = _FIELD.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{message.name}.{entry.name}"
    elif type_name in _MESSAGES:
        field.type = _FIELD.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{type_name}"
    else:
        field.type = getattr(_FIELD, f"TYPE_{type_name.upper()}")


def predict_request(
    inputs: signature.Tensors,
    model_name: str,
    signature_name: str,
    version: int | None = None,
    label: str = "",
) -> Any:
    """Returns a PredictRequest; arrays as `requests.build_inputs` makes them."""
    request = message_class("PredictRequest")()
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature_name
    if version is not None:
        request.model_spec.version.value = version
    request.model_spec.version_label = label
    for name, array in inputs.items():
        _fill(request.inputs[name], array)
    return request


def _fill(proto: Any, array: NDArray[Any]) -> None:
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    if array.dtype.kind in "OSU":
        proto.dtype = _DT_STRING
        proto.string_val.extend(
            value.encode() if isinstance(value, str) else value for value in array.flat
        )
    else:
        proto.dtype = _NUMBERS[array.dtype.name]
        proto.tensor_content = np.ascontiguousarray(array).tobytes()


def outputs_of(response: Any) -> signature.Tensors:
    """Returns the arrays of a PredictResponse; text as objects of bytes."""
    return {name: _to_array(name, proto) for name, proto in response.outputs.items()}


def _to_array(name: str, proto: Any) -> NDArray[Any]:
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.dtype == _DT_STRING:
        array = np.empty(len(proto.string_val), dtype=object)
        array[:] = list(proto.string_val)
    elif proto.dtype in _DTYPES:
        field, dtype = _DTYPES[proto.dtype]
        if proto.tensor_content:
            array = np.frombuffer(proto.tensor_content, dtype=dtype)
        else:
            array = np.array(getattr(proto, field), dtype=dtype)
    else:
        raise ValueError(f'output "{name}" has the unsupported type {proto.dtype}')
    # One value may stand for all equal ones.
    return array.reshape(shape) if array.size != 1 else np.full(shape, array[0])
