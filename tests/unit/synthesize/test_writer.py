import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.synthesize import activity, simulation, writer
from pipeline.synthesize import catalogue as catalogues
from pipeline.synthesize import settings as synthesis
from tests.unit.synthesize.written_log import digests, write

START_MS = 1_704_067_200_000
SPAN_MS = 90 * 86_400_000


def exposures_of(folder):
    """Returns one row an exposure in order, with item features, from the files."""
    events = pd.read_parquet(folder / "events.parquet")
    items = pd.read_parquet(folder / "items.parquet")
    items["cluster"] = items["categories"].map("|".join)
    events["disliked"] = events["action"] == "dislike"
    key = ["user_id", "timestamp", "item_id"]
    exposures = events.groupby(key, sort=False)["disliked"].any().reset_index()
    return exposures.merge(items, on="item_id", how="left").sort_values(
        ["user_id", "timestamp"], ignore_index=True
    )


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthesize") / "log"
    settings, summary = write(folder)
    return folder, settings, summary


def test_files_and_schemas(log):
    folder, _, _ = log
    assert sorted(digests(folder)) == [
        "events.parquet",
        "ground_truth/dislikes.parquet",
        "ground_truth/items.parquet",
        "ground_truth/parameters.json",
        "ground_truth/users.parquet",
        "items.parquet",
    ]
    events = pq.read_schema(folder / "events.parquet")
    assert dict(zip(events.names, events.types, strict=True)) == {
        "user_id": pa.string(),
        "item_id": pa.string(),
        "timestamp": pa.int64(),
        "action": pa.string(),
        "value": pa.float32(),
        "sequence": pa.int64(),
    }
    items = pq.read_schema(folder / "items.parquet")
    assert dict(zip(items.names, items.types, strict=True)) == {
        "item_id": pa.string(),
        "creator_id": pa.string(),
        "categories": pa.list_(pa.string()),
        "title": pa.string(),
        "created_at": pa.int64(),
    }


@pytest.mark.parametrize(
    "given",
    [
        {"users": 1, "items": 1, "events": 1},
        {"users": 17, "events": 17},
        {"users": 3, "events": 1_000},
        {"users": 50, "events": 9_999, "heavy_user_share": 0.02},
        {"users": 5, "events": 500, "favourite_creators": 0, "pair_share": 0.5},
        {"users": 9, "events": 90, "cluster_aversion_share": 0.0,
         "creator_aversion_share": 0.0},
    ],
)  # fmt: skip
def test_exactly_as_many_rows_as_asked_for(tmp_path, given):
    settings, summary = write(tmp_path / "log", **given)
    events = pd.read_parquet(tmp_path / "log" / "events.parquet")
    assert len(events) == summary["events"] == settings.events
    assert events["user_id"].nunique() == settings.users
    truth = tmp_path / "log" / "ground_truth"
    assert len(pd.read_parquet(truth / "users.parquet")) == settings.users
    assert len(pd.read_parquet(truth / "items.parquet")) == settings.items


def test_summary_counts_what_the_files_hold(log):
    folder, _, summary = log
    events = pd.read_parquet(folder / "events.parquet")
    counts = events["action"].value_counts().to_dict()
    assert summary["actions"] == counts
    assert set(counts) == {"view", "skip", "like", "dislike"}
    assert summary["exposures"] == len(exposures_of(folder))
    disliked = events["action"] == "dislike"
    assert summary["users_with_dislikes"] == events[disliked]["user_id"].nunique()
    parameters = json.loads((folder / "ground_truth/parameters.json").read_text())
    assert parameters["settings"]["events"] == 20_000
    assert parameters["content_clusters"][7] == "cluster_07"


def test_an_exposure_is_a_skip_or_a_view_with_at_most_one_verdict(log):
    events = pd.read_parquet(log[0] / "events.parquet")
    first = events[events["sequence"] == 0]
    second = events[events["sequence"] == 1]
    assert set(first["action"]) == {"view", "skip"}
    assert set(second["action"]) == {"like", "dislike"}
    assert first["value"].between(0, 1).all()
    assert second["value"].isna().all()
    assert not first.duplicated(["user_id", "timestamp"]).any()
    key = ["user_id", "timestamp", "item_id"]
    matched = second.merge(first, on=key)
    assert len(matched) == len(second)
    assert set(matched["action_y"]) == {"view"}


def test_positives_alone_are_likes_without_a_value_one_an_exposure(tmp_path):
    _, summary = write(
        tmp_path / "log",
        events=2_000,
        min_events=5,
        heavy_user_share=0.0,
        positives_only=True,
        cluster_aversion_share=1.0,
    )
    events = pd.read_parquet(tmp_path / "log" / "events.parquet")

    assert len(events) == 2_000
    assert set(events["action"]) == {"like"}
    assert events["value"].isna().all()
    assert not events.duplicated(["user_id", "timestamp"]).any()
    assert events.groupby("user_id").size().min() == 5
    assert events["user_id"].nunique() == 200
    assert summary["exposures"] == summary["actions"]["like"] == 2_000
    assert summary["users_with_dislikes"] == 0
    dislikes = pd.read_parquet(tmp_path / "log" / "ground_truth" / "dislikes.parquet")
    assert dislikes.empty


def test_rows_are_ordered_by_user_then_time_inside_the_span(log):
    events = pd.read_parquet(log[0] / "events.parquet")
    key = ["user_id", "timestamp", "sequence"]
    pd.testing.assert_frame_equal(events, events.sort_values(key, kind="stable"))
    assert events["timestamp"].min() >= START_MS
    assert events["timestamp"].max() < START_MS + SPAN_MS


def test_nothing_is_shown_before_it_exists(log):
    exposures = exposures_of(log[0])
    assert (exposures["timestamp"] >= exposures["created_at"]).all()
    assert (exposures["created_at"] > START_MS).mean() > 0.05


def test_equal_settings_write_equal_bytes_and_seeds_differ(log, tmp_path):
    write(tmp_path / "again")
    write(tmp_path / "other", seed=2)
    assert digests(tmp_path / "again") == digests(log[0])
    other = digests(tmp_path / "other")
    assert all(other[name] != digest for name, digest in digests(log[0]).items())


@pytest.mark.parametrize("block_exposures", [1, 137, 10**9])
@pytest.mark.parametrize("round_steps", [7, 256])
def test_blocks_and_rounds_do_not_matter(monkeypatch, block_exposures, round_steps):
    settings = synthesis.SynthesisSettings(
        users=40, items=100, events=3_000, heavy_user_share=0.05, avoidance=0.8
    )
    catalogue = catalogues.build_catalogue(settings)
    blocks = []
    simulate_block = simulation._simulate_block

    def counted(*args):
        blocks.append(args)
        return simulate_block(*args)

    monkeypatch.setattr(simulation, "_simulate_block", counted)
    monkeypatch.setattr(simulation, "GROUP_EVENTS", 1_000)

    def rows(block):
        blocks.clear()
        groups = list(simulation.simulate(settings, catalogue, block))
        assert len(groups) >= 3
        return simulation.Rows.concatenate(groups)

    expected = rows(500)
    monkeypatch.setattr(simulation, "ROUND_STEPS", round_steps)
    observed = rows(block_exposures)
    assert len(blocks) == 40 if block_exposures == 1 else len(blocks) < 40
    assert expected.user.size == 3_000
    for name in ("user", "item", "timestamp_ms", "action", "value", "sequence"):
        np.testing.assert_array_equal(getattr(observed, name), getattr(expected, name))


@pytest.mark.parametrize("spread", [0.0, 0.8])
def test_all_users_leave_at_one_share_of_their_plan(tmp_path, spread):
    # Else those who dislike much would weigh less in what follows a dislike.
    settings, _ = write(tmp_path / "log", activity_spread=spread, avoidance=0.0)
    passed = exposures_of(tmp_path / "log").groupby("user_id").size().to_numpy()
    planned = activity.events_per_user(settings)
    share = passed.sum() / planned.sum()
    assert share < 0.9
    assert np.abs(passed - share * planned).max() <= 1.5


def test_row_groups_are_full_whatever_the_blocks(monkeypatch, tmp_path, log):
    monkeypatch.setattr(writer, "ROWS_PER_GROUP", 3_000)
    write(tmp_path / "log")
    metadata = pq.ParquetFile(tmp_path / "log" / "events.parquet").metadata
    sizes = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert sizes == [3_000] * 6 + [2_000]
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "log" / "events.parquet"),
        pd.read_parquet(log[0] / "events.parquet"),
    )
    parameters = "ground_truth/parameters.json"
    assert digests(tmp_path / "log")[parameters] == digests(log[0])[parameters]


def test_a_user_in_several_row_groups_counts_once(monkeypatch, tmp_path):
    monkeypatch.setattr(writer, "ROWS_PER_GROUP", 200)
    _, summary = write(tmp_path / "log", users=1, events=2_000)
    assert summary["actions"]["dislike"] > 10
    assert summary["users_with_dislikes"] == 1


def test_true_dislikes_are_those_of_the_log_and_have_a_cause(log):
    folder, _, _ = log
    events = pd.read_parquet(folder / "events.parquet")
    truth = pd.read_parquet(folder / "ground_truth" / "dislikes.parquet")
    key = ["user_id", "timestamp", "item_id"]
    logged = events[events["action"] == "dislike"][key].reset_index(drop=True)
    pd.testing.assert_frame_equal(truth[key], logged)
    assert len(truth) > 100
    assert (truth["averse_since"] <= truth["timestamp"]).all()

    items = pd.read_parquet(folder / "items.parquet").set_index("item_id")
    assert (truth["creator_id"] == items["creator_id"][truth["item_id"]].values).all()
    names = items["categories"].map("|".join)
    assert (truth["cluster"] == names[truth["item_id"]].values).all()

    users = pd.read_parquet(folder / "ground_truth" / "users.parquet")
    since = {
        (row.user_id, cluster): moment
        for row in users.itertuples()
        for cluster, moment in zip(row.averse_clusters, row.averse_since, strict=True)
    }
    by_cluster = [
        since.get((row.user_id, row.cluster), np.inf) <= row.timestamp
        for row in truth.itertuples()
    ]
    # The others are dislikes of creators; both shares are 0.1.
    assert 0.3 < np.mean(by_cluster) < 0.8


def test_true_items_and_tastes_explain_the_log(log):
    folder, settings, _ = log
    exposures = exposures_of(folder)
    truth = pd.read_parquet(folder / "ground_truth" / "items.parquet")
    assert truth["popularity"].sum() == pytest.approx(1.0)
    items = pd.read_parquet(folder / "items.parquet")
    assert (truth["cluster"] == items["categories"].map("|".join)).all()

    users = pd.read_parquet(folder / "ground_truth" / "users.parquet")
    names = [f"cluster_{n:02d}" for n in range(settings.clusters)]
    start, end = np.stack(users["taste_start"]), np.stack(users["taste_end"])
    # The default drift of 0.3 turns them by 27 degrees.
    turned = np.corrcoef(start.ravel(), end.ravel())[0, 1]
    assert turned == pytest.approx(np.cos(np.radians(27)), abs=0.03)
    seen = pd.crosstab(exposures["user_id"], exposures["cluster"])[names].to_numpy()
    favourite = (start + end).argmax(axis=1)
    share = seen / seen.sum(axis=1, keepdims=True)
    # The largest of twelve logits of spread 1.5 is near 2.4, and e^2.4 over the sum
    # of all twelve e^logit is near 0.25; a twelfth by chance.
    share_of_favourite = share[np.arange(len(users)), favourite].mean()
    assert share_of_favourite == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize(
    ("avoidance", "low", "high"),
    [(0.0, 0.85, 1.15), (0.5, 0.35, 0.6), (1.0, 0.0, 0.0)],
)
@pytest.mark.parametrize("kind", ["cluster", "creator_id"])
def test_what_follows_a_dislike_falls_by_the_avoidance(
    tmp_path, avoidance, low, high, kind
):
    # Chance that the next exposure is alike, after a dislike over after anything
    # else: 1 - avoidance, less where a cluster that is met often was left already.
    # At avoidance 0 one sigma over seeds was .03 to .05 (clusters, creators).
    write(
        tmp_path / "log",
        users=5_000,
        events=250_000,
        avoidance=avoidance,
        heavy_user_share=0.0,
    )
    exposures = exposures_of(tmp_path / "log")
    following = exposures.shift(-1)
    same_user = following["user_id"] == exposures["user_id"]
    alike = (following[kind] == exposures[kind])[same_user]
    disliked = exposures["disliked"][same_user]
    assert disliked.sum() > 1_500
    ratio = alike[disliked].mean() / alike[~disliked].mean()
    assert low <= ratio <= high


def test_at_full_avoidance_nothing_alike_is_ever_shown_again(tmp_path):
    write(tmp_path / "log", avoidance=1.0, remembered_dislikes=64, clusters=200)
    exposures = exposures_of(tmp_path / "log")
    again = 0
    for _, mine in exposures.groupby("user_id"):
        clusters, creators = set(), set()
        for row in mine.itertuples():
            again += row.cluster in clusters or row.creator_id in creators
            if row.disliked:
                clusters.add(row.cluster)
                creators.add(row.creator_id)
    assert exposures["disliked"].sum() > 200
    assert again == 0


def test_only_the_named_resemblance_is_avoided(tmp_path):
    write(tmp_path / "log", avoidance=1.0, resemblance=("creator",), events=60_000)
    exposures = exposures_of(tmp_path / "log")
    following = exposures.shift(-1)
    after = exposures["disliked"] & (following["user_id"] == exposures["user_id"])
    assert not (following["creator_id"] == exposures["creator_id"])[after].any()
    assert (following["cluster"] == exposures["cluster"])[after].mean() > 0.05


def test_likes_do_not_give_dislikes_away(tmp_path):
    # With dislikes of no consequence, disliked and other exposures are of clusters
    # that the user has chosen equally often.
    write(tmp_path / "log", avoidance=0.0, users=2_000, events=100_000, span_days=10**3)
    exposures = exposures_of(tmp_path / "log")
    chosen = exposures.groupby(["user_id", "cluster"])["item_id"].transform("size")
    share = chosen / exposures.groupby("user_id")["item_id"].transform("size")
    ratio = share[exposures["disliked"]].mean() / share[~exposures["disliked"]].mean()
    # One sigma over seeds was .05: dislikes come in runs of one user and cluster.
    assert ratio == pytest.approx(1.0, abs=0.15)


def test_progress_reaches_the_total(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "ROWS_PER_GROUP", 400)
    settings = synthesis.SynthesisSettings(users=10, events=1_000)
    seen = []
    writer.synthesize(settings, tmp_path / "log", lambda *args: seen.append(args))
    assert seen == [(400, 1_000), (800, 1_000), (1_000, 1_000)]
