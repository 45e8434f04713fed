"""Pictures of a catalogue on the page: what is loaded, and what never gets there."""

import json
import shutil
import urllib.request

import pytest

from serving.bundle import integrity

ADDRESSES = {
    "i0": "https://img.example/0.jpg",
    "i1": "javascript:alert(1)",
    "i2": "data:image/png;base64,AA==",
    "i3": "HTTP://Other.example:8080/3.jpg",
}


def fetch(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(url, data=data, timeout=60) as answer:
        return answer.headers, answer.read().decode()


@pytest.fixture(scope="module")
def models_dir(tiny_model_dir, tmp_path_factory):
    """The tiny model with addresses that another hand wrote into its catalogue."""
    models_dir = tmp_path_factory.mktemp("pictured") / "heed"
    version = models_dir / "1"
    shutil.copytree(tiny_model_dir, version)
    path = version / "assets.extra" / "catalog.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        if row["item_id"] in ADDRESSES:
            row["image_url"] = ADDRESSES[row["item_id"]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    manifest = version / "assets.extra" / "manifest.json"
    integrity.write_manifest(str(version), json.loads(manifest.read_text()))
    return models_dir


def test_the_page_loads_pictures_from_where_the_catalogue_says(
    start_server, server, models_dir
):
    pictured = start_server(models_dir)

    headers, _ = fetch(pictured.ready["explore_url"])
    plain_headers, _ = fetch(server.ready["explore_url"])

    policy, plain = (
        dict(part.strip().split(" ", 1) for part in one.split(";"))
        for one in (
            headers["Content-Security-Policy"],
            plain_headers["Content-Security-Policy"],
        )
    )
    assert policy.pop("img-src").split() == [
        "data:",
        "http://other.example:8080",
        "https://img.example",
    ]
    assert plain.pop("img-src") == "data:"
    # Nothing else is looser than without pictures.
    assert policy == plain
    assert plain["default-src"] == "'none'"

    ids = "&".join(f"id={item_id}" for item_id in (*ADDRESSES, "i4"))
    _, found = fetch(f"{pictured.rest}/explore/items?{ids}")
    shown = {one["item_id"]: one["image_url"] for one in json.loads(found)["items"]}
    assert shown == {**ADDRESSES, "i1": "", "i2": "", "i4": ""}
    assert "2 of 20 items have an `image_url`" in pictured.log()

    asked = {"history": [{"item_id": "i17", "mark": "dislike"}], "k": 20}
    slates = {}
    for name, one in (("pictured", pictured), ("plain", server)):
        _, answer = fetch(f"{one.rest}/explore/slates", asked)
        assert "javascript" not in answer
        slates[name] = json.loads(answer)
    for side in ("before", "after"):
        pictured_rows, plain_rows = slates["pictured"][side], slates["plain"][side]
        for row in pictured_rows:
            row.pop("image_url")
        # The page takes the clock's time, of which this model adds the last bit to all
        # scores alike.
        apart = {
            row.pop("score") - plain_row.pop("score")
            for row, plain_row in zip(pictured_rows, plain_rows, strict=True)
        }
        assert len(apart) == 1
        assert apart <= {-1.0, 0.0, 1.0}
    # Pictures change nothing of what is recommended.
    assert slates["pictured"] == slates["plain"]
