"""Reads the JSON request bodies of TensorFlow Serving's REST API.

Follows that API in names, nesting, `{"b64": ...}` text and in the tokens `NaN`,
`Infinity` and `-Infinity`. Beyond it:
- In row form, lists of rank 1 may differ in length between instances; the shorter
  are padded at the end as the serving contract says.
- `null` in a float input means NaN, for callers whose JSON knows no NaN.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from serving.bundle import faults, signature, validation
from serving.server import batching

# Smallest and largest value of each numeric type that JSON can carry.
_INTEGER_TYPES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_FLOAT_TYPES = {
    "float32": float(np.finfo(np.float32).max),
    "float64": float(np.finfo(np.float64).max),
}

_MAX_RANK = 8
"""No signature takes as many levels; NumPy ends at 32."""


class PredictBody(NamedTuple):
    """A parsed request body."""

    signature_name: str
    """What the caller asked for, or the default."""
    row_form: bool
    """Whether the tensors came as `instances`; the answer has the same form."""
    tensors: Any
    """The value of `instances` or `inputs`, not yet checked."""


def parse_object(body: bytes) -> dict[str, Any]:
    """Returns the JSON object of a request; raises RequestError if it is none."""
    try:
        parsed = json.loads(body)
    except UnicodeDecodeError as error:
        raise faults.invalid(f"the request body is not UTF-8: {error}") from error
    except json.JSONDecodeError as error:
        raise faults.invalid(f"the request body is not JSON: {error}") from error
    except RecursionError as error:
        raise faults.invalid("the request body is nested too deeply") from error
    except ValueError as error:  # an integer of thousands of digits
        raise faults.invalid(f"the request body cannot be read: {error}") from error
    if not isinstance(parsed, dict):
        raise faults.invalid(
            f"the request body must be a JSON object; got {_kind(parsed)}"
        )
    return parsed


def parse_body(body: bytes) -> PredictBody:
    """Returns the parts of a predict request; raises RequestError if malformed."""
    parsed = parse_object(body)
    name = parsed.get("signature_name", signature.DEFAULT_SIGNATURE)
    if not isinstance(name, str):
        raise faults.invalid(f'"signature_name" must be a string; got {_kind(name)}')
    forms = [form for form in ("instances", "inputs") if form in parsed]
    if len(forms) != 1:
        raise faults.invalid(
            'the request body must hold either "instances" (row form) or "inputs" '
            f"(column form); got {' and '.join(forms) or 'neither'}"
        )
    return PredictBody(
        name or signature.DEFAULT_SIGNATURE, forms[0] == "instances", parsed[forms[0]]
    )


def to_arrays(
    body: PredictBody, expected: dict[str, signature.TensorSpec]
) -> signature.Tensors:
    """Returns the input arrays of a request in either form.

    Args:
      body: What `parse_body` returned.
      expected: The signature's inputs.

    Raises:
      RequestError: INVALID_ARGUMENT naming the instance and input, what was expected
        and what came.
    """
    if body.row_form:
        return _from_instances(body.tensors, expected)
    columns = body.tensors
    if not isinstance(columns, dict) or _is_base64(columns):
        columns = {_only_input("inputs", expected): columns}
    validation.check_names(set(columns), expected)
    return {
        name: _dense(columns[name], spec, f'input "{name}"')
        for name, spec in expected.items()
    }


def _from_instances(
    instances: Any, expected: dict[str, signature.TensorSpec]
) -> signature.Tensors:
    if not isinstance(instances, list) or not instances:
        raise faults.invalid(
            '"instances" must be a list of at least one instance; got '
            f"{_kind(instances)}{'' if instances else ' (empty)'}"
        )
    named = isinstance(instances[0], dict) and not _is_base64(instances[0])
    if not named:
        only = _only_input("instances", expected)
        instances = [{only: instance} for instance in instances]
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in expected}
    for number, instance in enumerate(instances):
        if not isinstance(instance, dict):
            raise faults.invalid(
                f"instance {number} must be an object with one entry for each input; "
                f"got {_kind(instance)}"
            )
        try:
            validation.check_names(set(instance), expected)
        except faults.RequestError as error:
            raise faults.invalid(f"instance {number}: {error}") from error
        for name, spec in expected.items():
            where = f'instance {number}, input "{name}"'
            columns[name].append(_dense(instance[name], spec, where))
        _check_alignment(number, {name: columns[name][-1] for name in expected})
    return {name: _stack(name, rows) for name, rows in columns.items()}


def _only_input(key: str, expected: dict[str, signature.TensorSpec]) -> str:
    if len(expected) != 1:
        raise faults.invalid(
            f'"{key}" must name each input, as the signature takes several: '
            f"{', '.join(sorted(expected))}"
        )
    return next(iter(expected))


def _check_alignment(number: int, instance: signature.Tensors) -> None:
    # After padding the lengths agree again, and a forgotten value would go unseen.
    shapes = {n: instance[n].shape for n in signature.HISTORY_INPUTS if n in instance}
    if len(set(shapes.values())) > 1:
        lengths = ", ".join(f"{n} {list(shape)}" for n, shape in shapes.items())
        raise faults.invalid(
            f"instance {number}: the history inputs must have one length; got {lengths}"
        )


def _stack(name: str, rows: list[NDArray[Any]]) -> NDArray[Any]:
    if len({row.shape for row in rows}) == 1:
        return np.stack(rows)
    for number, row in enumerate(rows):
        if row.ndim != 1:
            raise faults.invalid(
                f'instance {number}, input "{name}": shape {list(row.shape)} differs '
                f"from that of instance 0, {list(rows[0].shape)}"
            )
    return batching.stack_requests([{name: row[None]} for row in rows])[name]


def _dense(value: Any, spec: signature.TensorSpec, where: str) -> NDArray[Any]:
    shape: list[int] = []
    level = value
    while isinstance(level, list):
        shape.append(len(level))
        if len(shape) > _MAX_RANK:
            raise faults.invalid(f"{where}: lists are nested too deeply")
        if not level:
            break
        level = level[0]
    leaves: list[Any] = []
    _flatten(value, shape, 0, leaves, where)
    array = _plain(leaves, spec.dtype)
    if array is None:
        array = np.empty(len(leaves), dtype=_numpy_dtype(spec.dtype, where))
        array[:] = [_leaf(leaf, spec.dtype, where) for leaf in leaves]
    return array.reshape(shape)


def _plain(leaves: list[Any], dtype: str) -> NDArray[Any] | None:
    """Returns leaves that are all of the expected kind, without a look at each.

    None: something else is among them, or nearly: `_leaf` says what.
    """
    kinds = set(map(type, leaves))
    if dtype == "string" and kinds <= {str}:
        array = np.empty(len(leaves), dtype=object)
        try:
            array[:] = [leaf.encode() for leaf in leaves]
        except UnicodeEncodeError:
            return None
        return array
    try:
        if dtype in _INTEGER_TYPES and kinds <= {int}:
            wide = np.array(leaves, dtype=np.int64)
            low, high = _INTEGER_TYPES[dtype]
            fits = bool(((wide >= low) & (wide <= high)).all())
            return wide.astype(dtype) if fits else None
        if dtype in _FLOAT_TYPES and kinds <= {int, float}:
            double = np.array(leaves, dtype=np.float64)
            fits = not (np.abs(double) > _FLOAT_TYPES[dtype]).any()
            return double.astype(dtype) if fits else None
    except OverflowError:
        pass
    return None


def _flatten(
    value: Any, shape: list[int], depth: int, leaves: list[Any], where: str
) -> None:
    if depth == len(shape):
        if isinstance(value, list):
            raise faults.invalid(f"{where}: a list came where a value was expected")
        leaves.append(value)
        return
    if not isinstance(value, list) or len(value) != shape[depth]:
        got = f"length {len(value)}" if isinstance(value, list) else _kind(value)
        raise faults.invalid(
            f"{where}: lists of one level must have equal length; expected "
            f"{shape[depth]} at level {depth}, got {got}"
        )
    if depth == len(shape) - 1 and list not in set(map(type, value)):
        leaves.extend(value)
        return
    for element in value:
        _flatten(element, shape, depth + 1, leaves, where)


def _numpy_dtype(dtype: str, where: str) -> np.dtype[Any]:
    if dtype == "string":
        return np.dtype(object)
    if dtype in _INTEGER_TYPES or dtype in _FLOAT_TYPES or dtype == "bool":
        return np.dtype(dtype)
    raise faults.RequestError(
        "UNIMPLEMENTED", f"{where}: type {dtype} cannot be sent as JSON; use gRPC"
    )


def _leaf(leaf: Any, dtype: str, where: str) -> Any:
    is_number = isinstance(leaf, (int, float)) and not isinstance(leaf, bool)
    if dtype == "string":
        if isinstance(leaf, str):
            return _encode(leaf, where)
        if _is_base64(leaf):
            try:
                return base64.b64decode(leaf["b64"], validate=True)
            except (binascii.Error, ValueError) as error:
                raise faults.invalid(f"{where}: not valid base64: {error}") from error
    elif dtype == "bool":
        if isinstance(leaf, bool):
            return leaf
    elif dtype in _INTEGER_TYPES:
        low, high = _INTEGER_TYPES[dtype]
        if is_number and isinstance(leaf, int) and low <= leaf <= high:
            return leaf
    elif leaf is None:
        return math.nan
    elif is_number and (
        (isinstance(leaf, float) and not math.isfinite(leaf))
        or abs(leaf) <= _FLOAT_TYPES[dtype]
    ):
        return leaf
    raise faults.invalid(f"{where}: expected {dtype}; got {_kind(leaf)}")


def _encode(text: str, where: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:  # a lone surrogate, from "\ud800"
        raise faults.invalid(f"{where}: not valid Unicode: {error}") from error


def _is_base64(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and list(value) == ["b64"]
        and isinstance(value["b64"], str)
    )


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
