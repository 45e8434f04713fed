"""What is asked: histories of a power law, as bytes of both protocols."""

from __future__ import annotations

import json
import pathlib

import numpy as np

from serving import requests, wire
from serving.bundle import signature

K = 100
_NUM_BODIES = 64
"""Distinct requests; more would only fill memory."""
_NOW_MS = 1_700_000_000_000
_ACTIONS = ("view", "view", "view", "like", "dislike|view")


def draw(
    num_items: int, length: int, k: int = K, number: int = _NUM_BODIES
) -> list[signature.Tensors]:
    """Returns the inputs of some requests of one user each."""
    rng = np.random.default_rng(2)
    asked = []
    for _ in range(number):
        rows = (num_items * rng.random(length) ** 3).astype(int)
        history = [
            requests.Event(
                f"item-{row}",
                _ACTIONS[rng.integers(len(_ACTIONS))],
                _NOW_MS + 60_000 * place,
                round(float(rng.random()), 3),
            )
            for place, row in enumerate(rows)
        ]
        asked.append(requests.build_inputs([history], k=k))
    return asked


def grpc(inputs: signature.Tensors) -> bytes:
    """Returns a PredictRequest as it goes over the wire."""
    request = wire.predict_request(inputs, "heed", signature.DEFAULT_SIGNATURE)
    return bytes(request.SerializeToString())


def rest(inputs: signature.Tensors) -> bytes:
    """Returns the body of `POST /v1/models/heed:predict`."""
    columns = {name: array.tolist() for name, array in inputs.items()}
    return json.dumps({"inputs": columns}, default=bytes.decode).encode()


def write(folder: pathlib.Path, asked: list[signature.Tensors]) -> None:
    """Writes each request as `NNN.grpc` and `NNN.rest`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, inputs in enumerate(asked):
        for protocol, encode in (("grpc", grpc), ("rest", rest)):
            (folder / f"{number:03}.{protocol}").write_bytes(encode(inputs))
