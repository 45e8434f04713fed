"""`heed recommend --users` on a real model, against one user at a time in Python."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pytest
from pyarrow import parquet
from typer import testing

from pipeline import cli  # noqa: F401 - registers the commands
from pipeline.commands import shell
from tests.components.serving import tiny_model

START_MS = 1_700_000_000_000
SHARDS = ["--set", "data.user_buckets=8"]


def make_histories(num_users, longest=8, seed=7):
    """Returns user id to [(item, action, time, value)], oldest first."""
    rng = random.Random(seed)
    found = {}
    for number in range(num_users):
        times = sorted(rng.sample(range(10**6), rng.randint(1, longest)))
        found[f"üser {number}"] = [
            (
                rng.choice(tiny_model.ITEM_IDS),
                rng.choice(["view", "like", "dislike"]),
                START_MS + t,
                rng.choice([None, 0.5, 1.5]),
            )
            for t in times
        ]
    return found


def write_log(folder, histories, extra=(), num_files=3):
    """Writes the events in any order over several files."""
    rows = [
        dict(zip(("item_id", "action", "timestamp", "value"), event, strict=True))
        | {"user_id": user}
        for user, events in histories.items()
        for event in events
    ]
    rows += extra
    random.Random(1).shuffle(rows)
    folder.mkdir()
    for number in range(num_files):
        table = pa.Table.from_pylist(rows[number::num_files])
        parquet.write_table(table, folder / f"part-{number}.parquet")
    return folder


def expected(history, k):
    """The model reads the newest; what is older stays out of the slate."""
    older = {item for item, *_ in history[: -tiny_model.MAX_LENGTH]}
    newest = history[-tiny_model.MAX_LENGTH :]
    return tiny_model.expected_slate(newest, k, exclude=older)


def slates_in(folder):
    rows = parquet.read_table(folder).to_pylist()
    found = {
        row["user_id"]: list(zip(row["item_id"], row["score"], strict=True))
        for row in rows
    }
    assert len(found) == len(rows)
    return found


@pytest.fixture
def ask(tiny_model_dir, tmp_path):
    def invoke(users, *more, k=3, output="slates"):
        arguments = ["--model", str(tiny_model_dir), "--users", str(users)]
        arguments += ["--output", str(tmp_path / output), "-k", str(k), *SHARDS, *more]
        return testing.CliRunner().invoke(shell.app, ["recommend", *arguments])

    return invoke


def test_every_user_gets_the_slate_of_a_lone_request(ask, tmp_path):
    histories = make_histories(200)
    histories["long"] = [
        (f"i{n % 15}", "like" if n % 2 else "dislike", START_MS + n, None)
        for n in range(120)
    ]
    log = write_log(tmp_path / "log", histories)

    answer = ask(log, "--json")

    assert answer.exit_code == 0, answer.output
    assert slates_in(tmp_path / "slates") == {
        user: expected(history, 3) for user, history in histories.items()
    }
    events = sum(map(len, histories.values()))
    report = json.loads(answer.stdout)
    assert report["users"] == 201
    assert report["events_read"] == events
    shards = sorted(p.name for p in (tmp_path / "slates").glob("*.parquet"))
    assert shards == [f"slates-0000{n}-of-00008.parquet" for n in range(8)]
    assert not (tmp_path / "slates" / "_histories").exists()


def test_bad_rows_are_counted_and_can_be_read(ask, tmp_path):
    histories = make_histories(30)
    bad = [
        {"user_id": "üser 1", "item_id": "i1", "action": "DISLIKE", "timestamp": 1},
        {"user_id": None, "item_id": "i1", "action": "like", "timestamp": START_MS},
    ]
    log = write_log(tmp_path / "log", histories, bad, num_files=1)

    answer = ask(log)

    assert answer.exit_code == 0, answer.output
    rows = 2 + sum(map(len, histories.values()))
    assert f"warning: 2 of {rows} rows were rejected (missing_user_id 1, " in (
        answer.stderr
    )
    assert slates_in(tmp_path / "slates").keys() == histories.keys()
    letters = tmp_path / "slates" / "_rejected" / "rejected-00000.jsonl.gz"
    lines = gzip.decompress(letters.read_bytes()).decode().splitlines()
    assert "DISLIKE" in " ".join(json.loads(line)["raw"] for line in lines)
    assert len(lines) == 2


def test_a_log_that_is_refused_costs_no_slate(ask, tmp_path):
    histories = make_histories(10)
    bad = [{"user_id": "x", "item_id": "i1", "action": "no", "timestamp": START_MS}]
    log = write_log(tmp_path / "log", histories, bad * 30)

    refused = ask(log)

    assert refused.exit_code == 2
    assert "30 of" in refused.output
    assert "`data.max_rejected_share`" in refused.output
    assert not list((tmp_path / "slates").glob("*.parquet"))
    allowed = ask(log, "--set", "data.max_rejected_share=0.9")
    assert allowed.exit_code == 0, allowed.output
    assert slates_in(tmp_path / "slates").keys() == histories.keys()


def test_only_missing_shards_are_asked_for(ask, tmp_path):
    histories = make_histories(40)
    log = write_log(tmp_path / "log", histories)
    assert ask(log).exit_code == 0
    shards = sorted((tmp_path / "slates").glob("*.parquet"))
    lost = shards[2]
    content = lost.read_bytes()
    lost.unlink()
    before = {path: path.stat().st_mtime_ns for path in shards if path != lost}

    assert ask(log).exit_code == 0

    assert lost.read_bytes() == content
    assert before == {path: path.stat().st_mtime_ns for path in before}
    again = lost.stat().st_mtime_ns
    assert ask(log).exit_code == 0
    assert lost.stat().st_mtime_ns == again


@pytest.mark.slow
def test_a_killed_run_is_gone_on_with(tiny_model_dir, tmp_path):
    histories = make_histories(400)
    log = write_log(tmp_path / "log", histories)
    output = tmp_path / "slates"
    command = [sys.executable, "-m", "pipeline.cli", "recommend", "-k", "3", *SHARDS]
    command += ["--model", str(tiny_model_dir), "--users", str(log)]
    command += ["--output", str(output)]
    # Each call of the model waits, so that the signal comes between two shards.
    slow = (
        "import sys, time; from components.bulk_recommendations import slates as s\n"
        "run = s.answer\n"
        "s.answer = lambda *a: (time.sleep(1), run(*a))[1]\n"
        "from pipeline import cli; sys.argv[0] = 'heed'; cli.main()"
    )
    process = subprocess.Popen([sys.executable, "-c", slow, *command[3:]])
    while process.poll() is None and not list(output.glob("*.parquet")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in output.glob("*.parquet")}
    assert 0 < len(done) < 8

    finished = subprocess.run(command, capture_output=True, text=True, check=False)

    assert finished.returncode == 0, finished.stderr
    assert done == {path: path.stat().st_mtime_ns for path in done}
    assert slates_in(output) == {u: expected(h, 3) for u, h in histories.items()}


def test_another_request_is_refused(ask, tmp_path):
    log = write_log(tmp_path / "log", make_histories(5))
    assert ask(log).exit_code == 0

    answer = ask(log, k=4)

    assert answer.exit_code == 2
    assert "holds slates of another request: `k` was 3 and is 4" in answer.output


def test_a_folder_of_others_is_left_alone(ask, tmp_path):
    log = write_log(tmp_path / "log", make_histories(5))
    (tmp_path / "slates").mkdir()
    (tmp_path / "slates" / "thesis.txt").write_text("mine")

    answer = ask(log)

    assert answer.exit_code == 2
    assert "holds 'thesis.txt' and no slates" in answer.output
    assert set(os.listdir(tmp_path / "slates")) == {"thesis.txt", ".lock"}


def test_a_model_without_user_control_is_bad_input(ask, tmp_path):
    log = write_log(tmp_path / "log", make_histories(5))

    answer = ask(log, "--user-control", "2")

    assert answer.exit_code == 2
    assert 'no signature "controlled"' in answer.output


@pytest.mark.parametrize(
    "arguments",
    [[], ["--users", "u"], ["--history", "h", "--output", "o"], ["--output", "o"]],
)
def test_one_user_or_many(arguments):
    answer = testing.CliRunner().invoke(
        shell.app, ["recommend", "--model", "m", *arguments]
    )
    assert answer.exit_code == 2
    assert "`--users FILE --output FOLDER`" in answer.output
