"""Requests with which TensorFlow Serving warms a version up before it takes traffic.

It replays `assets.extra/tf_serving_warmup_requests` against each version that it loads.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    predict_pb2,
    prediction_log_pb2,
)

from serving.bundle import signature

FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")
_ROWS = (1, 32)
_ELEMENTS = 20
_K = 10
_ACTION = b"view"


def requests(
    signatures: Mapping[str, Mapping[str, signature.TensorSpec]],
    item_ids: Sequence[bytes],
) -> list[predict_pb2.PredictRequest]:
    """Returns requests of one row and of several for each signature.

    Args:
      signatures: inputs by name.
      item_ids: some candidates, at least one.
    """
    return [
        _request(name, inputs, item_ids, rows)
        for name, inputs in signatures.items()
        for rows in _ROWS
    ]


def _request(
    name: str,
    inputs: Mapping[str, signature.TensorSpec],
    item_ids: Sequence[bytes],
    rows: int,
) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = signature.DEFAULT_MODEL_NAME
    request.model_spec.signature_name = name
    width = (rows, _ELEMENTS)
    known = np.resize(np.array(item_ids[:_ELEMENTS], object), width)
    values = {
        signature.HISTORY_ITEM_ID: known,
        signature.ITEM_ID: known,
        signature.HISTORY_ACTION: np.full(width, _ACTION, object),
        signature.HISTORY_TIMESTAMP: np.zeros(width, np.int64),
        signature.HISTORY_VALUE: np.full(width, np.nan, np.float32),
        signature.K: np.full(rows, _K, np.int32),
        signature.USER_CONTROL: np.full(rows, np.nan, np.float32),
        signature.MOST_OF_CREATOR: np.full(rows, 2, np.int32),
        signature.MOST_OF_CATEGORY: np.full(rows, 0, np.int32),
    }
    for key in inputs:
        # What restricts a slate is left open.
        value = values.get(key, np.full((rows, 1), b"", object))
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return request


def write(
    directory: str,
    signatures: Mapping[str, Mapping[str, signature.TensorSpec]],
    item_ids: Sequence[bytes],
) -> None:
    """Writes the requests of a SavedModel.

    Args:
      directory: of the model.
      signatures: inputs by name.
      item_ids: some candidates, at least one.
    """
    path = os.path.join(directory, FILE)
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.TFRecordWriter(path) as writer:
        for request in requests(signatures, item_ids):
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())
