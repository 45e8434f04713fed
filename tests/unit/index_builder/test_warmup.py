"""The warm-up file, read as TensorFlow Serving reads it, and asked of the model."""

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from components.index_builder import endpoint, warmup
from serving.bundle import saved_model, signature
from tests.unit.index_builder import towers_by_hand


def test_the_model_answers_every_warm_up_request(tmp_path):
    names = [f"n{i}" for i in range(40)]
    rng = np.random.default_rng(1)
    towers = towers_by_hand.Towers(names, rng.normal(size=(40, 3)))
    directory = str(tmp_path / "1")
    endpoint.export(endpoint.RetrievalEndpoint(towers, None), directory)
    warmup.write(directory, signature.INPUTS, [n.encode() for n in names])

    path = tmp_path / "1" / "assets.extra" / "tf_serving_warmup_requests"
    model = saved_model.load_exported(directory)
    asked = []
    for record in tf.data.TFRecordDataset(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(p) for name, p in request.inputs.items()}
        name = request.model_spec.signature_name
        answer = model.predict(inputs, name)
        # Twenty of forty are in the history.
        assert (answer["item_id"] != b"").all()
        assert answer["item_id"].shape == (len(inputs["k"]), 10)
        asked.append((name, len(inputs["k"])))

    assert sorted(asked) == sorted((n, r) for n in model.signatures for r in (1, 32))
    assert model.signatures.keys() == signature.INPUTS.keys()
