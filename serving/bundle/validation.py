"""Checks the inputs of a request against the signature before the model sees them.

TensorFlow's own message for a wrong input names ops of the graph; these name the
input, what the signature expects and what came.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from schema import settings
from serving.bundle import faults, signature


def check_names(names: set[str], expected: dict[str, signature.TensorSpec]) -> None:
    """Raises RequestError unless exactly the expected inputs came."""
    listed = ", ".join(sorted(expected))
    if unknown := sorted(names - expected.keys()):
        raise faults.invalid(
            f"unknown input {_quoted(unknown)}; the signature takes {listed}"
        )
    if missing := sorted(expected.keys() - names):
        raise faults.invalid(
            f"missing input {_quoted(missing)}; the signature takes {listed}"
        )


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def dtype_name(array: NDArray[Any]) -> str:
    """Returns TensorFlow's name of an array's type; text in any form is `string`."""
    return "string" if array.dtype.kind in "OSU" else array.dtype.name


def check_inputs(
    inputs: signature.Tensors,
    expected: dict[str, signature.TensorSpec],
    limits: settings.ServingSettings | None = None,
) -> int:
    """Checks names, types, shapes and ranges of a request.

    Args:
      inputs: Arrays by input name.
      expected: The signature's inputs.
      limits: What a request may ask for; None: no limit.

    Returns:
      The number of rows, that is the first dimension of all inputs (1 where no input
      has one).

    Raises:
      RequestError: INVALID_ARGUMENT, naming the input, what the signature expects
        and what came.
    """
    check_names(set(inputs), expected)
    for name, spec in expected.items():
        _check_tensor(name, inputs[name], spec)
    sizes = {n: inputs[n].shape[0] for n in expected if inputs[n].ndim}
    rows = next(iter(sizes.values()), 1)
    for name, size in sizes.items():
        if size != rows:
            first = next(iter(sizes))
            raise faults.invalid(
                f'inputs must agree in the first (batch) dimension; "{first}" has '
                f'{rows} and "{name}" has {size}'
            )
    if rows == 0:
        raise faults.invalid("the batch must hold at least one row; got none")
    _check_history(inputs)
    _check_values(inputs)
    _check_k(inputs)
    _check_user_control(inputs)
    _check_most(inputs)
    if limits is not None:
        _check_limits(inputs, rows, limits)
    return rows


def _check_tensor(name: str, array: NDArray[Any], spec: signature.TensorSpec) -> None:
    wrong_type = dtype_name(array) != spec.dtype
    wrong_shape = spec.shape is not None and (
        array.ndim != len(spec.shape)
        or any(
            size is not None and size != got
            for size, got in zip(spec.shape, array.shape, strict=True)
        )
    )
    if wrong_type or wrong_shape:
        raise faults.invalid(
            f'input "{name}" must be {spec.describe()}; got {dtype_name(array)} '
            f"{list(array.shape)}"
        )


def _check_history(inputs: signature.Tensors) -> None:
    history = {n: inputs[n].shape for n in signature.HISTORY_INPUTS if n in inputs}
    if len(set(history.values())) > 1:
        shapes = ", ".join(f"{n} {list(shape)}" for n, shape in history.items())
        raise faults.invalid(
            f"the history inputs must have one shape, as position j of each describes "
            f"one interaction; got {shapes}"
        )


def _check_values(inputs: signature.Tensors) -> None:
    values = inputs.get(signature.HISTORY_VALUE)
    if values is None or values.dtype.kind != "f":
        return
    if (wrong := np.argwhere(np.isinf(values))).size:
        place = ", ".join(f"{p}" for p in wrong[0])
        raise faults.invalid(
            'input "history_value" must be finite, or NaN where a value is absent; got '
            f"{values[tuple(wrong[0])]:g} at [{place}]"
        )


def _check_k(inputs: signature.Tensors) -> None:
    ks = inputs.get(signature.K)
    if ks is None or ks.ndim != 1 or ks.dtype.kind not in "iu":
        return
    if (wrong := np.flatnonzero(ks < 1)).size:
        raise faults.invalid(
            f'input "k" must be at least 1; got {ks[wrong[0]]} in row {wrong[0]}'
        )


def _check_user_control(inputs: signature.Tensors) -> None:
    control = inputs.get(signature.USER_CONTROL)
    if control is None or control.dtype.kind != "f":
        return
    # NaN passes: it asks for what the model is served with.
    outside = (control < 0.0) | (control > signature.MAX_USER_CONTROL)
    if (wrong := np.flatnonzero(outside)).size:
        raise faults.invalid(
            f'input "user_control" must be in [0, {signature.MAX_USER_CONTROL:g}], or '
            f"NaN for the model's own; got {control[wrong[0]]:g} in row {wrong[0]}"
        )


def _check_most(inputs: signature.Tensors) -> None:
    for name in (signature.MOST_OF_CREATOR, signature.MOST_OF_CATEGORY):
        most = inputs.get(name)
        if most is None or most.dtype.kind not in "iu":
            continue
        if (wrong := np.flatnonzero(most < 0)).size:
            raise faults.invalid(
                f'input "{name}" must be at least 1, or 0 for no limit; got '
                f"{most[wrong[0]]} in row {wrong[0]}"
            )


def _check_limits(
    inputs: signature.Tensors, rows: int, limits: settings.ServingSettings
) -> None:
    if rows > limits.max_rows:
        raise faults.invalid(
            f"a request may hold at most {limits.max_rows} rows; got {rows}: split it"
        )
    for name, array in inputs.items():
        if array.size > limits.max_elements:
            raise faults.invalid(
                f'input "{name}" may hold at most {limits.max_elements} elements; got '
                f"{array.size}: split the request or shorten the histories"
            )
    ks = inputs.get(signature.K)
    if ks is None or ks.dtype.kind not in "iu" or not ks.size:
        return
    if ks.max() > limits.max_k:
        raise faults.invalid(
            f'input "k" may be at most {limits.max_k}; got {ks.max()} in row '
            f"{ks.argmax()}"
        )
    if rows * int(ks.max()) > limits.max_results:
        raise faults.invalid(
            f"rows times the largest k may be at most {limits.max_results}; got "
            f"{rows} rows and k {ks.max()}: split the request or lower k"
        )
