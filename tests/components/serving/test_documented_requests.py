"""The requests of docs/how-to/serve.md, asked of the embedded server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from tests.unit.docs import pages

PAGE = "how-to/serve.md"


def post(url, body):
    try:
        with urllib.request.urlopen(url, data=body.encode(), timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_body_is_answered(server):
    body = pages.block(PAGE, "body.json")

    status, answer = post(f"{server.rest}/v1/models/heed:predict", body)

    assert status == 200
    (slate,) = answer["predictions"]
    assert len(slate["item_id"]) == 10


def test_the_body_with_user_control_reaches_its_signature(server):
    """The tiny model has none of that name, and says which it has."""
    body = pages.block(PAGE, "controlled.json")

    status, answer = post(f"{server.rest}/v1/models/heed:predict", body)

    assert status in (400, 404)
    assert "controlled" in answer["error"]


def test_the_client_is_answered(server):
    code = pages.block(PAGE, "client.py")
    assert "127.0.0.1:8500" in code
    names = {}

    exec(code.replace("127.0.0.1:8500", server.grpc), names)

    assert len(names["slate"]) == 10


@pytest.mark.parametrize("title", ["body.json", "controlled.json"])
def test_a_body_names_inputs_of_its_signature(title):
    from serving.bundle import signature

    body = json.loads(pages.block(PAGE, title))
    inputs = {
        signature.DEFAULT_SIGNATURE: signature.REQUEST_INPUTS,
        signature.CONTROLLED_SIGNATURE: signature.CONTROLLED_INPUTS,
    }[body.get("signature_name", signature.DEFAULT_SIGNATURE)]

    assert set(body["instances"][0]) == set(inputs)
