"""The gRPC API through the official TensorFlow Serving stubs, and our client."""

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving import client, requests, wire
from tests.components.serving import tiny_model

HISTORY = [("i3", "view", 1_001, 0.5), ("i4", "dislike|view", 1_003, None)]
EVENTS = [requests.Event(*row) for row in HISTORY]


@pytest.fixture
def channel(server):
    with grpc.insecure_channel(server.grpc) as channel:
        yield channel


@pytest.fixture
def prediction(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def official_request(k=5, **spec):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "heed"
    for name, value in spec.items():
        setattr(request.model_spec, name, value)
    inputs = {
        "history_item_id": tf.constant([["i3", "i4"]]),
        "history_action": tf.constant([["view", "dislike|view"]]),
        "history_timestamp": tf.constant([[1_001, 1_003]], tf.int64),
        "history_value": tf.constant([[0.5, float("nan")]]),
        "exclude_item_id": tf.constant([["i17"]]),
        "k": tf.constant([k], tf.int32),
    }
    for name, tensor in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(tensor))
    return request


def failure(call, request):
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=30)
    return caught.value.code(), caught.value.details()


def test_predict_equals_the_oracle(prediction):
    answer = prediction.Predict(official_request(), timeout=30)

    item_ids = tf.make_ndarray(answer.outputs["item_id"])
    scores = tf.make_ndarray(answer.outputs["score"])
    got = [(i.decode(), s) for i, s in zip(item_ids[0], scores[0], strict=True)]
    assert got == tiny_model.expected_slate(HISTORY, 5, ["i17"])
    assert answer.model_spec.name == "heed"
    assert answer.model_spec.version.value == 1
    assert answer.model_spec.signature_name == "serving_default"


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_items_like_others_by_the_client(server, protocol):
    target = server.grpc if protocol == "grpc" else server.rest
    with client.RecommendClient(target, protocol=protocol, deadline_sec=30) as heed:
        answer = heed.similar(["i3", "i5"], k=4, exclude=["i7"])
        pairs = [(one.item_id, one.score) for one in answer]
        assert pairs == tiny_model.expected_similar(["i3", "i5"], 4, exclude=["i7"])
        # The same connection answers histories.
        slate = heed.recommend(EVENTS, k=1)
    assert [(one.item_id, one.score) for one in slate] == tiny_model.expected_slate(
        HISTORY, 1
    )


def test_padding(prediction):
    answer = prediction.Predict(official_request(k=21), timeout=30)
    assert tf.make_ndarray(answer.outputs["item_id"])[0, 19:].tolist() == [b"", b""]
    assert tf.make_ndarray(answer.outputs["score"])[0, 19:].tolist() == [-np.inf] * 2


def test_output_filter(prediction):
    request = official_request()
    request.output_filter.append("score")
    assert list(prediction.Predict(request, timeout=30).outputs) == ["score"]
    request.output_filter.append("nope")
    code, details = failure(prediction.Predict, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert '"nope"' in details


def test_version_may_be_named(prediction):
    request = official_request()
    request.model_spec.version.value = 1
    assert prediction.Predict(request, timeout=30).outputs
    request.model_spec.version.value = 2
    code, details = failure(prediction.Predict, request)
    assert code == grpc.StatusCode.NOT_FOUND
    assert "version 2" in details


def test_unknown_model_and_signature(prediction):
    code, details = failure(prediction.Predict, official_request(name="need"))
    assert (code, '"need"' in details) == (grpc.StatusCode.NOT_FOUND, True)
    code, details = failure(
        prediction.Predict, official_request(signature_name="other")
    )
    assert (code, '"other"' in details) == (grpc.StatusCode.INVALID_ARGUMENT, True)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("k", [0], "at least 1; got 0"),
        ("k", np.array([5], np.int64), "must be int32 [batch]; got int64 [1]"),
        ("k", np.array([5, 5], np.int32), '"k" has 2'),
        ("history_value", [0.5], "must be float32 [batch, *]; got float32 [1]"),
        ("history_action", [["view"]], "history_action [1, 1]"),
        ("extra", [1.0], 'unknown input "extra"'),
    ],
)
def test_the_callers_faults_are_named(prediction, name, value, message):
    request = official_request()
    if isinstance(value, list) and name == "k":
        value = np.array(value, np.int32)
    request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    code, details = failure(prediction.Predict, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert message in details


def test_missing_input(prediction):
    request = official_request()
    del request.inputs["history_action"]
    code, details = failure(prediction.Predict, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert 'missing input "history_action"' in details


def test_malformed_tensors(prediction):
    request = official_request()
    request.inputs["k"].tensor_shape.dim[0].size = 2**40
    code, details = failure(prediction.Predict, request)
    assert (code, "elements" in details) == (grpc.StatusCode.INVALID_ARGUMENT, True)

    request = official_request()
    request.inputs["history_timestamp"].tensor_shape.dim[1].size = 3
    code, details = failure(prediction.Predict, request)
    assert (code, "needs 24 bytes" in details) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        True,
    )

    request = official_request()
    request.inputs["k"].dtype = tf.float16.as_datatype_enum
    code, details = failure(prediction.Predict, request)
    assert (code, "DT_HALF" in details) == (grpc.StatusCode.INVALID_ARGUMENT, True)


def test_metadata(prediction):
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "heed"
    code, _ = failure(prediction.GetModelMetadata, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT

    request.metadata_field.append("signature_def")
    answer = prediction.GetModelMetadata(request, timeout=30)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert answer.model_spec.version.value == 1
    inputs = signatures.signature_def["serving_default"].inputs
    assert inputs["history_value"].dtype == tf.float32.as_datatype_enum


def test_status(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "heed"
    (status,) = stub.GetModelStatus(request, timeout=30).model_version_status
    assert (status.version, status.state) == (
        1,
        get_model_status_pb2.ModelVersionStatus.AVAILABLE,
    )
    request.model_spec.name = "need"
    assert failure(stub.GetModelStatus, request)[0] == grpc.StatusCode.NOT_FOUND


def test_other_calls_say_what_to_use_instead(prediction, channel, server):
    models = model_service_pb2_grpc.ModelServiceStub(channel)

    calls = [
        (prediction.Classify, classification_pb2.ClassificationRequest()),
        (prediction.Regress, regression_pb2.RegressionRequest()),
        (prediction.MultiInference, inference_pb2.MultiInferenceRequest()),
        (models.HandleReloadConfigRequest, model_management_pb2.ReloadConfigRequest()),
    ]
    for call, request in calls:
        code, details = failure(call, request)
        assert code == grpc.StatusCode.UNIMPLEMENTED
        assert "is not supported by this server: " in details
    assert "Traceback" not in server.log()


def test_our_messages_are_the_official_ones_on_the_wire():
    inputs = requests.build_inputs([EVENTS, []], k=[5, 2], exclude=[["i17"], []])
    ours = wire.predict_request(inputs, "heed", "serving_default", version=1)

    official = predict_pb2.PredictRequest.FromString(ours.SerializeToString())

    assert official.model_spec.name == "heed"
    assert official.model_spec.version.value == 1
    assert official.model_spec.signature_name == "serving_default"
    for name, array in inputs.items():
        np.testing.assert_array_equal(tf.make_ndarray(official.inputs[name]), array)


def test_official_answers_are_read_in_every_encoding():
    answer = predict_pb2.PredictResponse()
    for name, value in {
        "score": np.array([[1.5, -np.inf]], np.float32),  # tensor_content
        "same": np.full((2, 2), 7, np.int64),
        "item_id": np.array([[b"a", b""]], dtype=object),
    }.items():
        answer.outputs[name].CopyFrom(tf.make_tensor_proto(value))
    # As TensorFlow Serving answers: typed fields instead of tensor_content.
    typed = answer.outputs["typed"]
    typed.dtype = tf.float32.as_datatype_enum
    typed.tensor_shape.dim.add().size = 2
    typed.float_val.extend([0.25, 0.5])

    ours = wire.message_class("PredictResponse").FromString(answer.SerializeToString())
    outputs = wire.outputs_of(ours)

    assert outputs["score"].tolist() == [[1.5, -np.inf]]
    assert outputs["same"].tolist() == [[7, 7], [7, 7]]
    assert outputs["item_id"].tolist() == [[b"a", b""]]
    assert outputs["typed"].tolist() == [0.25, 0.5]


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_client_equals_the_oracle(server, protocol):
    target = f"127.0.0.1:{server.ready[f'{protocol}_port']}"
    with client.RecommendClient(target, protocol=protocol, deadline_sec=30) as heed:
        slates = heed.recommend_many(
            [EVENTS, []], k=[5, 30], exclude=[["i17"], ["i0", "i1"]]
        )
        with pytest.raises(client.ServingError) as caught:
            heed.recommend(EVENTS, k=1_001)

    assert [[(one.item_id, one.score) for one in slate] for slate in slates] == [
        tiny_model.expected_slate(HISTORY, 5, ["i17"]),
        tiny_model.expected_slate([], 30, ["i0", "i1"]),
    ]
    assert caught.value.code == "INVALID_ARGUMENT"
    assert "at most 1000" in str(caught.value)


def test_client_without_a_server_is_unavailable():
    heed = client.RecommendClient(
        "127.0.0.1:1", max_attempts=2, first_backoff_ms=1, deadline_sec=10
    )
    with heed, pytest.raises(client.ServingError) as caught:
        heed.recommend(EVENTS)
    assert caught.value.code == "UNAVAILABLE"


# Of grpc.health.v1: a request's field 1 is text, an answer's field 1 a number.
SERVING = bytes([0x08, 1])


def health(channel, call):
    method = f"/grpc.health.v1.Health/{call}"
    return {"Check": channel.unary_unary, "Watch": channel.unary_stream}[call](method)


@pytest.mark.parametrize("service", [b"", b"tensorflow.serving.PredictionService"])
def test_health(channel, service):
    asked = bytes([0x0A, len(service)]) + service if service else b""
    assert health(channel, "Check")(asked, timeout=30) == SERVING
    stream = health(channel, "Watch")(asked, timeout=30)
    assert next(stream) == SERVING
    stream.cancel()


def test_health_of_no_service(channel):
    code, details = failure(health(channel, "Check"), b"\x0a\x01x")
    assert (code, '"x"' in details) == (grpc.StatusCode.NOT_FOUND, True)
    stream = health(channel, "Watch")(b"\x0a\x01x", timeout=30)
    assert next(stream) == bytes([0x08, 3])
    stream.cancel()
