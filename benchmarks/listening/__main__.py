"""The answer to a dislike: `python -m benchmarks.listening --help`.

`outside` judges pushed models by another log of the same catalogue; `experiments` puts
the figures of several `heed experiment` side by side, one log each.
"""

from __future__ import annotations

import argparse
import os
import pathlib
from collections.abc import Mapping

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.listening import results
from schema import reports

_OUTSIDE = {
    "20 nearest, beside before": "net.audience_nearest",
    "20 nearest, beside the like": "control.audience_nearest",
    "audience, beside before": "net.audience",
    "audience, beside the like": "control.audience",
    "categories, graded, beside before": "net.category_overlap",
    "categories, graded, beside the like": "control.category_overlap",
    "identical category set, beside before": "net.content",
    "identical category set, beside the like": "control.content",
}
_CHANGES = {
    "judge's 20 nearest, beside before": "net.audience_nearest.dislike",
    "judge's 20 nearest, beside the control": "audience_nearest.dislike",
    "judge's audience, beside before": "net.audience.dislike",
    "judge's audience, beside the control": "audience.dislike",
    "categories, graded, beside before": "net.category_overlap.dislike",
    "categories, graded, beside the control": "category_overlap.dislike",
    "creator, beside before": "net.creator.dislike",
    "creator, beside the control (paper: -64.1 %)": "creator.dislike",
    "identical set, beside the control (paper: -60.8 %)": "content.dislike",
    "judge's 20 nearest, five events later, beside before": (
        "net.audience_nearest.events:5"
    ),
    "categories, graded, five events later, beside before": (
        "net.category_overlap.events:5"
    ),
    "other liked sets, beside before": "net.collateral.content",
}
_RATIOS = {
    "share of the slate before that stays": "kept.dislike",
    "recall@10 of liked targets / positives only": "recall@10 / none",
    "NDCG@10 of liked targets / positives only": "ndcg@10 / none",
    "recall@10 of disliked targets / positives only": "negative_recall@10 / none",
}


def outside(options: argparse.Namespace) -> None:
    """Judges models by another log."""
    import pyarrow.parquet as pq

    from benchmarks.listening import outside as by_another_log
    from pipeline.studies import experiment_figures

    table = pq.read_table(options.judge, columns=["user_id", "item_id"])
    users, items = (column.to_pylist() for column in table.columns)
    pairs = [
        (str(user).encode(), str(item).encode())
        for user, item in zip(users, items, strict=True)
    ]
    windows = by_another_log.histories(options.examples, options.newest)
    columns, found = ["likeness of the slate to the disliked item"], []
    for control in options.user_control:
        each = [
            by_another_log.judged(folder, windows, pairs, control, seed)
            for seed, folder in enumerate(options.models)
        ]
        for when in (by_another_log.AT_ONCE, by_another_log.LATER):
            columns.append(f"user control {control:g}, {when}")
            figures = [of_model[when] for of_model in each]
            found.append(experiment_figures.summarise(figures))
    rows = [
        [label, *(results.percent(summary.get(key)) for summary in found)]
        for label, key in _OUTSIDE.items()
    ]
    rows.append(
        ["share of the slate before that stays"]
        + [results.ratio(summary["kept"]) for summary in found]
    )
    results.write(
        "The answer to a dislike, judged by another log",
        "Likeness is by the audiences of a larger log of the same catalogue, which no "
        "model here has read.",
        columns,
        rows,
        [
            f"{len(options.models)} models of as many seeds; intervals are of their "
            "mean.",
            f"{len(windows)} histories, their newest {options.newest} elements; slates "
            "of 20, one item of the first ten disliked.",
        ],
        options.output,
    )


def experiments(options: argparse.Namespace) -> None:
    """Puts several experiments side by side."""
    arms: dict[str, Mapping[str, reports.Summary]] = {}
    for named in options.logs:
        label, _, root = named.partition("=")
        path = pathlib.Path(root, "reports", reports.EXPERIMENT_FILE)
        read = reports.read_existing(path, reports.Experiment)
        arms[label] = read.arms[options.arm]
    seeds = {label: arm["recall@10"].seeds for label, arm in arms.items()}
    rows = [
        [label, *(form(arm.get(key)) for arm in arms.values())]
        for form, named in ((results.percent, _CHANGES), (results.ratio, _RATIOS))
        for label, key in named.items()
    ]
    results.write(
        "The answer to a dislike, by log",
        "What users see after a dislike, and what it costs. The judge is a fourth of "
        "the users, whom nothing learns from.",
        ["figure", *(f"{label} (seeds: {seeds[label]})" for label in arms)],
        rows,
        ["Intervals are of the mean over seeds. A dash: the log cannot show it."],
        options.output,
    )


def main() -> None:
    """Parses the command line and runs one of the two."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.listening",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True)
    judge = commands.add_parser("outside", help="judge models by another log")
    judge.set_defaults(run=outside)
    judge.add_argument("--models", nargs="+", required=True, metavar="DIR")
    judge.add_argument(
        "--examples", required=True, help="EventExampleGen's output folder of the runs"
    )
    judge.add_argument(
        "--judge",
        required=True,
        help="Parquet with user_id and item_id: the log whose audiences judge",
    )
    judge.add_argument("--newest", type=int, default=50, help="elements of a history")
    judge.add_argument("--user-control", type=float, nargs="+", default=[1.0])
    beside = commands.add_parser("experiments", help="several logs side by side")
    beside.set_defaults(run=experiments)
    beside.add_argument("logs", nargs="+", metavar="LABEL=ROOT")
    beside.add_argument("--arm", default="feature_and_label")
    for command in (judge, beside):
        command.add_argument("--output", type=pathlib.Path, help="JSON file to write")
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
