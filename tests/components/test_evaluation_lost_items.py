"""What a newer catalogue lacks is served no more, and its targets are misses."""

import collections

import pytest

from components import artifacts
from components.evaluation import config, evaluate
from components.index_builder import build, servable
from schema import features, settings
from serving.bundle import catalog
from tests.components import tiny_pipeline


@pytest.fixture
def evaluated(tiny_log, exported_towers, tmp_path):
    """Evaluates the towers over some catalogue."""

    def run(items):
        def records(name, windows):
            return tiny_pipeline.write_records(
                tmp_path / name,
                [tiny_pipeline.serialized(w.columns()) for w in windows],
            )

        serving, twin = (
            str(tmp_path / n) for n in ("Format-Serving", artifacts.EXACT_TWIN)
        )
        build.build_endpoint(
            f"{exported_towers()}/Format-Serving",
            [],
            items,
            settings.IndexSettings(),
            {"made_by": "tests"},
            serving,
            twin,
        )
        return evaluate.evaluate(
            evaluate.Inputs(
                [records("test.gz", tiny_log.test)],
                [records("train.gz", tiny_log.train)],
                counts(tiny_log),
                serving,
                twin,
            ),
            config.EvaluationConfig(
                feedback=tiny_pipeline.FEEDBACK,
                evaluation=settings.EvaluationSettings(
                    top_k=(20,), bootstrap_samples=50
                ),
            ),
        )

    return run


def counts(log):
    return collections.Counter(
        item
        for window in log.train
        for item, is_label in zip(window.item_id, window.is_label, strict=True)
        if is_label
    )


def test_targets_of_lost_items_count_as_misses(evaluated, tiny_log):
    """The popularity list serves them no more either; withdrawn ones are no targets."""
    held_out = [
        (window.item_id[at], window.action[at], window.item_id[:at])
        for window in tiny_log.test
        for at, is_label in enumerate(window.is_label)
        if is_label
    ]
    liked = [t for t in held_out if b"dislike" not in t[1] and b"skip" not in t[1]]
    gone, withdrawn = {liked[0][0], liked[1][0]}, liked[2][0]
    before = {
        item[features.ITEM_ID][0]: catalog.Item()
        for item in tiny_pipeline.make_catalog()
    }
    newer = {item: entry for item, entry in before.items() if item not in gone}
    newer[withdrawn] = catalog.Item(is_withdrawn=True)

    found = evaluated(servable.with_lost(newer, before, 0.1))

    report, left = found.report, [t for t in held_out if t[0] != withdrawn]
    assert report.items_lost == 2
    assert report.targets_lost == sum(t[0] in gone for t in held_out)
    assert report.targets_withdrawn == len(held_out) - len(left)
    assert report.targets == len(left)
    served = found.predictions.to_pylist()
    assert not any(
        {i.decode() for i in gone} & {*row["top_item_ids"]} for row in served
    )
    hits = [
        row["target_item_id"] in row["top_item_ids"][:20]
        for row in served
        if row["target_polarity"] == "positive"
    ]
    liked = [t for t in liked if t[0] != withdrawn]
    assert report.metrics["recall@20"].count == len(hits) == len(liked)
    assert report.metrics["recall@20"].value == pytest.approx(sum(hits) / len(liked))
    count = counts(tiny_log)
    order = sorted(count, key=lambda item: (-count[item], item))
    popular = [
        item in [i for i in order if i not in met][:20] and item not in gone
        for item, _, met in liked
    ]
    assert report.baselines["popularity"].metrics["recall@20"].value == pytest.approx(
        sum(popular) / len(liked)
    )
