"""Stable and canary, asked for by REST, by the official stubs and by our client."""

import json
import shutil
import urllib.error
import urllib.request

import grpc
import pytest
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
)

from serving import client, requests
from tests.components.serving import tiny_model

HISTORY = [("i3", "view", 1, 0.5)]
EVENTS = [requests.Event(*row) for row in HISTORY]
SLATES = {
    "stable": tiny_model.expected_slate(HISTORY, 3),
    "canary": tiny_model.expected_slate(HISTORY, 3, shift=100.0),
}


@pytest.fixture(scope="module")
def labelled(tiny_model_dir, shifted_model_dir, tmp_path_factory):
    from tests.components.serving import conftest

    models_dir = tmp_path_factory.mktemp("labelled") / "heed"
    shutil.copytree(tiny_model_dir, models_dir / "1")
    shutil.copytree(shifted_model_dir, models_dir / "2")
    process = conftest.ServerProcess(
        models_dir, version_labels={"stable": 1, "canary": 2}
    )
    yield process
    process.kill()


@pytest.mark.parametrize("label", ["stable", "canary"])
@pytest.mark.parametrize("protocol", ["grpc", "rest"])
def test_a_label_names_a_version(labelled, protocol, label):
    target = labelled.grpc if protocol == "grpc" else labelled.rest
    with client.RecommendClient(
        target, protocol=protocol, label=label, deadline_sec=30
    ) as heed:
        slate = heed.recommend(EVENTS, k=3)
    assert [(one.item_id, one.score) for one in slate] == SLATES[label]


def test_without_a_label_the_newest_answers(labelled):
    with client.RecommendClient(labelled.grpc, deadline_sec=30) as heed:
        slate = heed.recommend(EVENTS, k=3)
    assert [(one.item_id, one.score) for one in slate] == SLATES["canary"]


def test_the_status_of_a_label(labelled):
    url = f"{labelled.rest}/v1/models/heed/labels/stable"
    with urllib.request.urlopen(url, timeout=30) as answer:
        (status,) = json.load(answer)["model_version_status"]
    assert (status["version"], status["state"]) == ("1", "AVAILABLE")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{labelled.rest}/v1/models/heed/labels/x", timeout=30)
    assert caught.value.code == 404
    assert "there is canary, stable" in caught.value.read().decode()


def test_a_label_in_the_official_message(labelled):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "heed"
    request.model_spec.version_label = "stable"
    with grpc.insecure_channel(labelled.grpc) as channel:
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        answer = stub.GetModelStatus(request, timeout=30)
    assert [one.version for one in answer.model_version_status] == [1]
