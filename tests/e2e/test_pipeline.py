"""The whole way: a log in, a blessed model out, asked in another process."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.synthesize import settings as synthesis_settings
from pipeline.synthesize import writer

pytestmark = pytest.mark.e2e

BLESSED, REFUSED, BAD_INPUT = 0, 3, 2


def heed(*arguments: str, timeout_sec: int = 600) -> subprocess.CompletedProcess[str]:
    """Runs the command in a fresh process, away from the repository."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_sec,
        check=False,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2])},
    )


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("log") / "synthetic"
    settings = synthesis_settings.SynthesisSettings(
        users=300, items=1_200, events=24_000, seed=3, heavy_user_share=0.0
    )
    writer.synthesize(settings, folder)
    return folder


@pytest.fixture(scope="module")
def settings(log: pathlib.Path) -> list[str]:
    values = {
        "data.events": log / "events.parquet",
        "data.items": log / "items.parquet",
        "data.split": "leave_last_out",
        "history.max_length": 40,
        "history.min_context": 8,
        "model.embedding_dim": 32,
        "model.hidden_dim": 32,
        "train.epochs": 8,
        "train.batch_size": 8,
        "train.learning_rate": 4e-3,
        "model.avoidance_strength": 4.0,
        "responsiveness.simulations": 200,
        "responsiveness.trajectory_length": 6,
        "gate.min_recall_at_10": 0.005,
        "gate.min_lift_over_popularity": -1.0,
        "serving_check.num_requests": 5,
        "serving_check.max_latency_p99_ms": 5_000,
    }
    return [part for k, v in values.items() for part in ("--set", f"{k}={v}")]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def first_run(
    root: pathlib.Path, settings: list[str]
) -> subprocess.CompletedProcess[str]:
    return heed("run", "--root", str(root), *settings)


def versions(root: pathlib.Path) -> list[str]:
    return sorted(p.name for p in (root / "serving_models" / "heed").iterdir())


def report(root: pathlib.Path, name: str) -> dict:
    return json.loads((root / "reports" / name).read_text())


def test_a_good_model_is_blessed_and_pushed(root, first_run):
    assert first_run.returncode == BLESSED, first_run.stdout + first_run.stderr
    assert len(versions(root)) == 1
    assert report(root, "promotion.json")["blessed"] is True
    assert (root / "reports" / "report.html").stat().st_size > 10_000


def test_reports_account_for_every_event(root, first_run, log):
    ingestion = report(root, "ingestion.json")
    table = pq.read_table(log / "events.parquet")
    assert ingestion["events_read"] == table.num_rows == 24_000
    assert ingestion["events_kept"] + ingestion["events_deduplicated"] == 24_000
    assert ingestion["users"] == len(set(table["user_id"].to_pylist()))


def test_metrics_follow_from_the_predictions(root, first_run):
    """Recomputes the metrics with plain Python from what was served."""
    rows = pq.read_table(root / "reports" / "predictions.parquet").to_pylist()
    metrics = report(root, "evaluation.json")["metrics"]
    positive = [r for r in rows if r["target_polarity"] == "positive"]
    assert len(positive) > 50
    for k in (10, 20, 100):
        hits = [r["target_item_id"] in r["top_item_ids"][:k] for r in positive]
        assert metrics[f"recall@{k}"]["value"] == pytest.approx(sum(hits) / len(hits))
        assert metrics[f"recall@{k}"]["count"] == len(positive)


def test_dislikes_lower_what_resembles_them(root, first_run):
    responsiveness = report(root, "responsiveness.json")
    for key in ("content.dislike", "creator.dislike"):
        assert responsiveness[key]["high"] < 0.0


def test_the_pushed_model_answers_in_a_fresh_process(root, first_run, log, tmp_path):
    table = pq.read_table(log / "events.parquet").to_pylist()
    user = table[0]["user_id"]
    history = [r for r in table if r["user_id"] == user][:20]
    file = tmp_path / "history.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in history))
    models = str(root / "serving_models" / "heed")
    answer = heed(
        "recommend", "--model", models, "--history", str(file), "-k", "7", "--json"
    )
    assert answer.returncode == 0, answer.stderr
    items = [entry["item_id"] for entry in json.loads(answer.stdout)]
    assert len(items) == len(set(items)) == 7
    assert not set(items) & {row["item_id"] for row in history}

    without = heed(
        *("recommend", "--model", models, "--history", str(file), "-k", "7", "--json"),
        *("--exclude", items[0]),
    )
    rest = [entry["item_id"] for entry in json.loads(without.stdout)]
    assert rest[:6] == items[1:]


def test_an_identical_rerun_reuses_all_up_to_evaluation(root, first_run, settings):
    before = versions(root)
    # What a run leaves that was killed.
    (root / ".tmp" / "beam").mkdir(parents=True)
    again = heed("run", "--root", str(root), *settings)
    assert again.returncode == BLESSED, again.stdout + again.stderr
    assert not (root / ".tmp").exists()
    state = {
        line.split()[1]: line.split()[2]
        for line in again.stdout.splitlines()
        if "/" in line.split(" ")[0] or line.lstrip()[:1].isdigit()
    }
    for step in (
        "EventExampleGen",
        "ItemCatalogGen",
        "EventTransform",
        "Trainer",
        "IndexBuilder",
        "Responsiveness",
        "ServingCheck",
    ):
        assert state[step] == "cached", again.stdout
    assert versions(root) == before
    assert "last_blessed" not in report(root, "evaluation.json")["baselines"]


def test_an_unreachable_threshold_refuses_and_keeps_what_is_served(
    root, first_run, settings
):
    before = versions(root)
    refused = heed(
        "run", "--root", str(root), *settings, "--set", "gate.min_recall_at_10=0.99"
    )
    assert refused.returncode == REFUSED, refused.stdout + refused.stderr
    assert "recall@10: observed" in refused.stdout
    assert "required >= 0.99" in refused.stdout
    assert versions(root) == before
    assert report(root, "promotion.json")["blessed"] is False


@pytest.mark.slow
def test_a_log_that_has_moved_stops_before_training(
    root, first_run, settings, log, tmp_path
):
    table = pq.read_table(log / "events.parquet")
    actions = [
        "dislike" if action == "view" and number % 2 else action
        for number, action in enumerate(table["action"].to_pylist())
    ]
    column = table.column_names.index("action")
    moved = table.set_column(column, "action", [actions])
    pq.write_table(moved, tmp_path / "moved.parquet")
    before = versions(root)
    stopped = heed(
        *("run", "--root", str(root), *settings),
        *("--set", f"data.events={tmp_path / 'moved.parquet'}"),
    )
    assert stopped.returncode == BAD_INPUT, stopped.stdout + stopped.stderr
    assert "feature action: drift" in stopped.stderr
    assert "`checks.max_event_drift.action` = 0.05" in stopped.stderr
    assert versions(root) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "modle.embedding_dim=3"], "did you mean `model`"),
        (["--set", "data.events=/nowhere/*.csv"], "/nowhere/*.csv"),
        (["--config", "no-such"], "packaged are"),
        ([], "names no event log"),
    ],
)
def test_bad_input_ends_with_one_clear_sentence(tmp_path, arguments, sentence):
    run = heed("run", "--root", str(tmp_path), *arguments)
    assert run.returncode == BAD_INPUT
    assert sentence in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


def test_a_folder_that_is_no_model_is_named(tmp_path):
    history = tmp_path / "history.jsonl"
    history.write_text('{"item_id": "a", "action": "like", "timestamp": 1}\n')
    asked = heed("recommend", "--model", str(tmp_path), "--history", str(history))
    assert asked.returncode == BAD_INPUT
    assert str(tmp_path) in asked.stderr


def refresh(root, settings, items):
    newer = [*settings, "--set", f"data.items={items}"]
    return heed("refresh-index", "--root", str(root), *newer)


@pytest.mark.slow
def test_newer_catalogue_enters_the_served_index(
    root, first_run, settings, log, tmp_path
):
    """A new item, a withdrawn one and no training; the second call pushes nothing."""
    table = pq.read_table(log / "items.parquet").to_pylist()
    gone, copied = table[0]["item_id"], table[1]
    newer = [*table[1:], {**copied, "item_id": "brand new"}]
    items = tmp_path / "items.parquet"
    pq.write_table(pa.Table.from_pylist(newer), items)
    before = versions(root)

    done = refresh(root, settings, items)

    assert done.returncode == BLESSED, done.stdout + done.stderr
    assert "Trainer " not in done.stdout
    after = versions(root)
    assert len(after) == len(before) + 1
    served = root / "serving_models" / "heed" / after[-1] / "assets.extra"
    manifest = json.loads((served / "manifest.json").read_text())
    assert manifest["num_candidates"] == len(newer)
    lines = (served / "catalog.jsonl").read_text().splitlines()
    withdrawn = [line for line in map(json.loads, lines) if line.get("withdrawn")]
    assert [line["item_id"] for line in withdrawn] == [gone]
    history = tmp_path / "history.jsonl"
    event = {"item_id": gone, "action": "like", "timestamp": 1_700_000_000_000}
    history.write_text(json.dumps({"user_id": "u", **event}) + "\n")
    asked = heed(
        *("recommend", "--model", str(root / "serving_models" / "heed"), "--json"),
        *("--history", str(history), "-k", str(len(newer))),
    )
    shown = {entry["item_id"] for entry in json.loads(asked.stdout)}
    assert "brand new" in shown
    assert gone not in shown
    assert len(shown) == len(newer)

    again = refresh(root, settings, items)

    assert again.returncode == BLESSED, again.stdout + again.stderr
    assert "nothing new" in again.stdout
    assert versions(root) == after


@pytest.mark.slow
def test_lost_targets_are_misses_and_the_console_and_the_report_say_so(
    root, first_run, settings, log, tmp_path
):
    """Three items that someone's held-out target is are no longer in the catalogue."""
    events = pq.read_table(log / "events.parquet").sort_by("timestamp").to_pylist()
    last_of_user = {row["user_id"]: row["item_id"] for row in events}
    gone = sorted(set(last_of_user.values()))[:3]
    table = pq.read_table(log / "items.parquet").to_pylist()
    items = tmp_path / "items.parquet"
    kept = [row for row in table if row["item_id"] not in gone]
    pq.write_table(pa.Table.from_pylist(kept), items)

    done = refresh(root, settings, items)

    assert done.returncode == BLESSED, done.stdout + done.stderr
    rows = pq.read_table(root / "reports" / "predictions.parquet").to_pylist()
    lost = [row for row in rows if row["target_item_id"] in gone]
    assert len(lost) >= 3
    sentence = (
        "the newer catalogue lacks 3 items that the model was trained with: "
        f"{len(lost)} of {len(rows)} held-out targets are of them and count as misses"
    )
    assert sentence in done.stdout
    measured = report(root, "evaluation.json")
    assert (measured["items_lost"], measured["targets_lost"]) == (3, len(lost))
    assert not any(set(gone) & set(row["top_item_ids"]) for row in rows)
    positive = [row for row in rows if row["target_polarity"] == "positive"]
    hits = [row["target_item_id"] in row["top_item_ids"][:10] for row in positive]
    assert measured["metrics"]["recall@10"]["count"] == len(positive)
    recall = measured["metrics"]["recall@10"]["value"]
    assert recall == pytest.approx(sum(hits) / len(hits))
    page = (root / "reports" / "report.html").read_text()
    assert "The newer catalogue lacks 3 items of the training run" in page


@pytest.mark.slow
def test_catalogue_that_broke_off_is_refused_and_nothing_changes(
    root, first_run, settings, log, tmp_path
):
    """An export of which the last quarter is missing."""
    table = pq.read_table(log / "items.parquet")
    items = tmp_path / "items.parquet"
    pq.write_table(table.slice(0, 900), items)
    before = versions(root)

    stopped = refresh(root, settings, items)

    assert stopped.returncode == BAD_INPUT, stopped.stdout + stopped.stderr
    (sentence,) = stopped.stderr.strip().splitlines()
    assert "lacks 300 of the 1200 items that the model was trained with" in sentence
    assert "`checks.max_lost_items_share` = 0.1" in sentence
    assert versions(root) == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "names no catalogue"),
        (["--set", "data.items=samples/movielens-small/movies.csv"], "no run was made"),
    ],
)
def test_refresh_of_nothing_is_one_clear_sentence(tmp_path, arguments, sentence):
    source = ["--set", "data.source=canonical"]
    if arguments:
        source = ["--config", "movielens-small"]
    done = heed("refresh-index", "--root", str(tmp_path), *source, *arguments)
    assert done.returncode == BAD_INPUT
    assert sentence in done.stderr
