import json
import stat

import numpy as np
import pytest

from schema import errors, settings
from serving import requests
from serving.server import metrics, request_log

HISTORIES = [
    [requests.Event("a", "view", 1, 0.5), requests.Event("b", "dislike|view", 2)],
    [],
]


def answered(user_id=None, time_ms=1_700_000_000_000):
    inputs = requests.build_inputs(HISTORIES, k=[2, 1], exclude=[["x"], []])
    outputs = {
        "item_id": np.array([[b"c", b"d"], [b"e", b""]], object),
        "score": np.array([[2.0, 1.5], [0.5, -np.inf]], np.float32),
    }
    return request_log.Answered(time_ms, 7, inputs, outputs, user_id)


def write(directory, *rows, **chosen):
    counters = metrics.Metrics()
    log = request_log.RequestLog(
        settings.ServingSettings(request_log_dir=str(directory), **chosen), counters
    )
    for row in rows:
        log.add(row)
    log.close()
    return counters.render(None)


def lines(directory):
    files = sorted(directory.glob("requests-*.jsonl"))
    return [json.loads(line) for file in files for line in file.open()]


def test_a_line_a_user_without_padding(tmp_path):
    page = write(tmp_path / "log", answered())

    assert lines(tmp_path / "log") == [
        {
            "time_ms": 1_700_000_000_000,
            "version": 7,
            "history_item_id": ["a", "b"],
            "history_action": ["view", "dislike|view"],
            "history_timestamp": [1, 2],
            "history_value": [0.5, None],
            "exclude_item_id": ["x"],
            "k": 2,
            "slate_item_id": ["c", "d"],
            "slate_score": [2.0, 1.5],
        },
        {
            "time_ms": 1_700_000_000_000,
            "version": 7,
            "history_item_id": [],
            "history_action": [],
            "history_timestamp": [],
            "history_value": [],
            "exclude_item_id": [],
            "k": 1,
            "slate_item_id": ["e"],
            "slate_score": [0.5],
        },
    ]
    assert 'heed_request_log_lines_total{outcome="written"} 2.0' in page


def test_files_are_finished_by_size_and_the_oldest_deleted(tmp_path):
    write(
        tmp_path,
        *[answered(time_ms=time_ms) for time_ms in range(5)],
        request_log_max_bytes=1,
        request_log_max_files=3,
    )
    assert len(list(tmp_path.iterdir())) == 3
    assert [line["time_ms"] for line in lines(tmp_path)] == [2, 2, 3, 3, 4, 4]


def test_an_open_file_has_another_name(tmp_path):
    counters = metrics.Metrics()
    log = request_log.RequestLog(
        settings.ServingSettings(request_log_dir=str(tmp_path)), counters
    )
    log.add(answered())
    while 'outcome="written"' not in counters.render(None):
        pass
    assert [path.suffix for path in tmp_path.iterdir()] == [".open"]
    log.close()
    (file,) = tmp_path.iterdir()
    assert file.suffix == ".jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.3, 200, 400)])
def test_a_share_is_drawn(tmp_path, share, low, high):
    # 1,000 users: .3 of them within seven standard deviations.
    write(tmp_path, *[answered()] * 500, request_log_share=share)
    assert low <= len(lines(tmp_path)) <= high


def test_user_ids_are_hashed_with_the_salt(tmp_path):
    salt = tmp_path / "salt"
    salt.write_text("secret\n")
    for name, chosen in {
        "plain": {},
        "hashed": {"request_log_salt_file": str(salt)},
    }.items():
        write(tmp_path / name, answered("anna"), **chosen)
    assert {line["user_id"] for line in lines(tmp_path / "plain")} == {"anna"}
    # printf anna | openssl dgst -sha256 -hmac secret
    assert {line["user_id"] for line in lines(tmp_path / "hashed")} == {
        "72f8b586f76c2f7cac18422e7892bc2b"
    }


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_salt_that_is_none_is_refused(tmp_path, content):
    salt = tmp_path / "salt"
    if content is not None:
        salt.write_text(content)
    with pytest.raises(errors.InputError, match="salt"):
        write(tmp_path / "log", request_log_salt_file=str(salt))


def test_what_the_disk_is_too_slow_for_is_dropped_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(request_log, "_MAX_WAITING_ELEMENTS", 1)
    page = write(tmp_path, answered())
    assert 'heed_request_log_lines_total{outcome="dropped"} 1.0' in page
    assert lines(tmp_path) == []


def test_a_directory_that_went_away_is_counted_and_ends_nothing(tmp_path, caplog):
    counters = metrics.Metrics()
    directory = tmp_path / "log"
    log = request_log.RequestLog(
        settings.ServingSettings(request_log_dir=str(directory)), counters
    )
    directory.rmdir()
    log.add(answered())
    log.add(answered())
    while 'outcome="failed"} 2.0' not in counters.render(None):
        pass
    assert caplog.text.count("the request log in") == 1
    directory.mkdir()
    log.add(answered())
    log.close()
    assert len(lines(directory)) == 2
