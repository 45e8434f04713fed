"""The circle of `heed demo`: served, clicked, written down, read by the next run."""

import json
import pathlib
import signal
import urllib.error
import urllib.request

import apache_beam as beam
import pyarrow as pa
import pytest
from pyarrow import csv

from components.anomaly_check import request_log
from components.bulk_recommendations import histories, history_file, store
from components.ingestion import locations
from pipeline import config as config_lib
from pipeline import demo
from pipeline.commands import shell

CONFIG = """
[data]
events = "{log}"
source = "ratings"

[mappings.ratings.events]
timestamp_unit = "s"
columns.user_id = "who"
columns.item_id = "what"
columns.timestamp = "when"
columns.action = ""
columns.value = ""
action_rules = [
  {{ column = "stars", at_least = 4.0, action = "like" }},
  {{ column = "stars", at_most = 2.0, action = "dislike" }},
]
default_action = "view"

[serving]
max_k = 50
"""
RATINGS = {
    "who": ["ann", "ann", "bob", "bob"],
    "what": ["i1", "i2", "i3", "i1"],
    "when": [1_700_000_000, 1_700_000_100, 1_700_000_200, 1_700_000_300],
    "stars": [5.0, 3.0, 1.0, 4.0],
}


def post(url, body, **headers):
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def read_histories(config, folder):
    """Returns user id to [(item, action mask)], as ingestion reads the spans."""
    source = locations.local_files(config.data.events, "data.events")
    letters, spill = str(folder / "letters"), str(folder / "spill")
    plan = histories.plan_of(source, config, config.feedback, letters, spill, 2**42)
    output = store.Store(str(folder), plan.num_buckets)
    output.begin_histories()
    with beam.Pipeline("FnApiRunner") as pipeline:
        _ = pipeline | histories.ReadHistories(plan, output)
    found = {}
    for number in range(output.num_shards):
        path = pathlib.Path(output.history(number))
        if not path.is_file():
            continue
        part = history_file.from_ipc(path.read_bytes())
        names = part.item_ids.take(pa.array(part.item)).to_pylist()
        for user, user_id in enumerate(part.user_ids.to_pylist()):
            own = slice(part.user_begin[user], part.user_begin[user + 1])
            found[user_id] = list(zip(names[own], part.actions[own], strict=True))
    return found, output.counted()


def test_what_is_clicked_is_learnt_from(start_server, tiny_model_dir, tmp_path):
    log = tmp_path / "ratings.csv"
    csv.write_csv(pa.table(RATINGS), log)
    path = tmp_path / "mine.toml"
    path.write_text(CONFIG.format(log=log))
    there = demo.prepare(config_lib.load(str(path)), tmp_path / "demo")
    models_dir = tmp_path / "heed"
    models_dir.mkdir()
    (models_dir / "1").symlink_to(tiny_model_dir)
    server = start_server(
        models_dir,
        event_log_dir=str(there.clicks),
        request_log_dir=str(there.requests),
    )

    said = [("i4", ""), ("i4", "dislike"), ("i5", "like")]
    for item_id, mark in said:
        body = {"user_id": "page-1", "item_id": item_id, "mark": mark}
        post(f"{server.rest}/explore/events", body)
    question = {"history": [{"item_id": "i4", "mark": "dislike"}], "k": 3}
    answer = post(
        f"{server.rest}/explore/slates", question, **{"x-heed-user-id": "page-1"}
    )
    assert answer["is_logged"]
    # First sight of the page: nobody has this history.
    post(f"{server.rest}/explore/slates", {**question, "is_example": True})
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(f"{server.rest}/explore/events", {"user_id": "", "item_id": "i4"})
    assert refused.value.code == 400
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0

    resolved = config_lib.load(str(there.config))
    assert resolved.config.serving.max_k == 1_000  # of the server, not of the run
    shell.check_sources(resolved)
    found, counted = read_histories(resolved.config, tmp_path / "read")
    bit = {name: 1 << n for n, name in enumerate(resolved.config.feedback.names())}
    assert counted["events_read"] == counted["events_kept"] == 7
    assert found["ann"] == [("i1", bit["like"]), ("i2", bit["view"])]
    assert found["bob"] == [("i3", bit["dislike"]), ("i1", bit["like"])]
    # Of one moment they would be one exposure.
    assert [item for item, _ in found["page-1"]][-1] == "i5"
    masks = {}
    for item, mask in found["page-1"]:
        masks[item] = masks.get(item, 0) | mask
    assert masks == {"i4": bit["view"] | bit["dislike"], "i5": bit["like"]}
    logged = request_log.read(str(there.requests / "requests-*.jsonl"))
    assert (logged.num_requests, logged.num_bad_lines) == (1, 0)
    (line,) = [
        json.loads(text)
        for file in there.requests.iterdir()
        for text in file.read_text().splitlines()
    ]
    assert line["user_id"] == "page-1"
    assert line["history_item_id"] == ["i4"]
    assert len(line["slate_item_id"]) == 3


def test_nothing_is_written_unless_asked_for(server):
    body = {"user_id": "u", "item_id": "i4", "mark": "like"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(f"{server.rest}/explore/events", body)
    assert refused.value.code == 404
    assert "event_log_dir" in refused.value.read().decode()


def test_the_second_time_the_log_is_there(tmp_path):
    log = tmp_path / "ratings.csv"
    csv.write_csv(pa.table(RATINGS), log)
    path = tmp_path / "mine.toml"
    path.write_text(CONFIG.format(log=log))
    demo.prepare(config_lib.load(str(path)), tmp_path / "demo")
    span = tmp_path / "demo" / "log" / "span-1" / "events.parquet"
    before = span.stat().st_mtime_ns
    demo.prepare(config_lib.load(str(path)), tmp_path / "demo")
    assert span.stat().st_mtime_ns == before
