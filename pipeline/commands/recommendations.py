"""Commands that ask a pushed model: `heed recommend`, `heed similar`."""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import shell

if TYPE_CHECKING:
    from schema import settings
    from serving import requests
    from serving.bundle import catalog, saved_model, signature, wishes


_ALONE_READS = ("history.merge_window_ms", "serving.unknown_actions")
_BULK_READS = (
    "history.merge_window_ms",
    *("data.source", "data.max_rejected_share", "data.user_buckets", "data.spill"),
    *("data.min_timestamp_ms", "data.max_timestamp_ms", "data.max_future_ms"),
    "data.max_events_per_user_per_day",
    *("mappings", "feedback", "beam"),
)

ModelOption = Annotated[
    pathlib.Path,
    typer.Option("--model", "--models", help="Pushed model, or its parent."),
]
KOption = Annotated[int, typer.Option("-k", min=1, help="Recommendations.")]
ExcludeOption = Annotated[
    list[str] | None, typer.Option("--exclude", help="Item id; repeatable.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@shell.app.command(
    epilog="Example: heed recommend --model runs/sample/serving_models/heed "
    "--history user.jsonl -k 20 --json; for all users of a log: --users log.parquet "
    "--output slates"
)
def recommend(
    model: ModelOption,
    history: Annotated[
        pathlib.Path | None,
        typer.Option("--history", help="Canonical events of one user, any format."),
    ] = None,
    users: Annotated[
        str | None,
        typer.Option(
            "--users",
            metavar="PATH|GLOB",
            help="Events of many users, as `data.events` names them.",
        ),
    ] = None,
    output: Annotated[
        pathlib.Path | None,
        typer.Option(
            "--output",
            help="With --users: folder of Parquet files; one that is unfinished is "
            "gone on with.",
        ),
    ] = None,
    k: KOption = 10,
    exclude: ExcludeOption = None,
    user_control: Annotated[
        float | None,
        typer.Option(
            "--user-control",
            min=0.0,
            max=2.0,
            help="How far to answer dislikes, 0 to 2; default: as the model is served.",
        ),
    ] = None,
    most_of_creator: Annotated[
        int, typer.Option("--most-of-creator", min=0, help="In a slate; 0: any number.")
    ] = 0,
    most_of_category: Annotated[
        int,
        typer.Option("--most-of-category", min=0, help="In a slate; 0: any number."),
    ] = 0,
    as_json: JsonOption = False,
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Ask a pushed model what it recommends after a history, or to all users."""
    with shell.clear_errors():
        from schema import errors
        from serving.bundle import wishes

        wished = wishes.Wishes(user_control, most_of_creator, most_of_category)
        if (history is None) == (users is None) or (users is None) != (output is None):
            raise errors.InputError(
                "give `--history FILE` for one user, or `--users FILE --output FOLDER` "
                "for all users of a log"
            )
        if users is not None and output is not None:
            resolved = shell.load(config, set_, _BULK_READS).config
            _recommend_in_bulk(
                model, resolved, users, output, k, exclude or [], wished, as_json
            )
            return
        if history is not None:
            chosen = shell.load(config, set_, _ALONE_READS).config
            _recommend_to_one(model, chosen, history, k, exclude or [], wished, as_json)


@shell.app.command(
    epilog="Example: heed similar 2571 --model runs/sample/serving_models/heed -k 20"
)
def similar(
    item: Annotated[
        list[str], typer.Argument(help="Item id; several are asked for together.")
    ],
    model: ModelOption,
    k: KOption = 10,
    exclude: ExcludeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a pushed model for items that are most like the given ones."""
    with shell.clear_errors():
        from serving import requests
        from serving.bundle import catalog, saved_model, signature

        retrieval = saved_model.load(model)
        items = catalog.read(retrieval.directory)
        for item_id in item:
            if items and item_id.encode() not in items:
                typer.echo(
                    f"warning: the model does not know the item {item_id!r}", err=True
                )
        inputs = requests.build_similar_inputs([item], k=k, exclude=[exclude or []])
        _print(_ask(retrieval, inputs, signature.SIMILAR_SIGNATURE), items, as_json)


def _recommend_to_one(
    model: pathlib.Path,
    chosen: settings.HeedConfig,
    history: pathlib.Path,
    k: int,
    exclude: list[str],
    wished: wishes.Wishes,
    as_json: bool,
) -> None:
    from serving import history_file, requests
    from serving.bundle import catalog, saved_model

    events = history_file.read_history(history)
    retrieval = saved_model.load(model)
    _tell_unknown(events, retrieval.directory, chosen.serving.unknown_actions)
    inputs = requests.build_inputs(
        [requests.merge_exposures(events, chosen.history.merge_window_ms)],
        k=k,
        exclude=[exclude],
    )
    inputs |= wished.inputs(1)
    answer = _ask(retrieval, inputs, wished.signature_name())
    _print(answer, catalog.read(retrieval.directory), as_json)


def _ask(
    retrieval: saved_model.RetrievalModel, inputs: signature.Tensors, name: str
) -> list[requests.Recommendation]:
    """Returns the answer to one row; raises InputError where the model has none."""
    from schema import errors
    from serving import requests
    from serving.bundle import faults

    try:
        (answer,) = requests.parse_outputs(retrieval.predict(inputs, name))
    except faults.RequestError as error:
        raise errors.InputError(f"{retrieval.directory}: {error}") from error
    return answer


def _recommend_in_bulk(
    model: pathlib.Path,
    chosen: settings.HeedConfig,
    users: str,
    output: pathlib.Path,
    k: int,
    exclude: list[str],
    wished: wishes.Wishes,
    as_json: bool,
) -> None:
    import rich.console

    from serving.bundle import versions

    model_dir = versions.resolve(model)
    screen = rich.console.Console(stderr=True)
    with screen.status("loading TensorFlow and Beam"):
        from pipeline import bulk_recommendations
        from pipeline.runners import console
    data = chosen.data.model_copy(update={"events": users})
    with console.ShardDisplay(screen) as display:
        report = bulk_recommendations.recommend(
            str(model_dir),
            chosen.model_copy(update={"data": data}),
            str(output),
            k,
            exclude,
            wished,
            display.show,
        )
    if as_json:
        typer.echo(json.dumps(report))
        return
    rejected = report["events_rejected"]
    typer.echo(f"written: slates of {report['users']} users in {output}")
    if rejected:
        reasons = ", ".join(f"{name} {n}" for name, n in sorted(rejected.items()))
        typer.echo(
            f"warning: {sum(rejected.values())} of {report['events_read']} rows were "
            f"rejected ({reasons}); they are in {output / '_rejected'}",
            err=True,
        )


def _tell_unknown(
    events: list[requests.Event], directory: str, what_becomes: str
) -> None:
    """Warns of names that the model does not know, or raises InputError."""
    import numpy as np

    from schema import errors
    from serving.bundle import vocabulary

    known = vocabulary.read(directory)
    actions = known.unknown_actions(np.array([e.action for e in events], object))
    for name, number in actions.items():
        told = (
            f"{number} of {len(events)} events have the action {name!r}, which the "
            "model's feedback policy does not know; it knows "
            f"{', '.join(sorted(known.actions))}"
        )
        if what_becomes == "refuse":
            raise errors.InputError(told)
        typer.echo(f"warning: {told}: it is no feedback", err=True)
    item_id = np.array([e.item_id.encode() for e in events], object)
    if num_items := known.count_unknown_items(item_id):
        typer.echo(
            f"warning: {num_items} of {len(events)} events are of items that the model "
            "does not know",
            err=True,
        )


def _print(
    answer: list[requests.Recommendation],
    items: dict[bytes, catalog.Item],
    as_json: bool,
) -> None:
    if as_json:
        typer.echo(json.dumps([_as_json(one, items) for one in answer]))
    else:
        _print_recommendations(answer, items)


def _as_json(
    one: requests.Recommendation, items: dict[bytes, catalog.Item]
) -> dict[str, str | float]:
    entry = items.get(one.item_id.encode())
    title = entry.title.decode() if entry else ""
    return {"item_id": one.item_id, "score": one.score, "title": title}


def _print_recommendations(
    answer: list[requests.Recommendation], items: dict[bytes, catalog.Item]
) -> None:
    import rich.console
    import rich.table
    import rich.text

    from schema import visible_text
    from serving.bundle import catalog

    table = rich.table.Table(box=None)
    for heading in ("rank", "item", "score", "title", "creator", "categories"):
        table.add_column(heading)
    for rank, item in enumerate(answer, start=1):
        key = item.item_id.encode()
        entry = (items.get(key) or catalog.Item()).describe(key)
        told = (item.item_id, f"{item.score:.3f}", entry["title"], entry["creator_id"])
        cells = (str(rank), *told, ", ".join(entry["categories"]))
        # Not markup: a title may hold brackets.
        table.add_row(*(rich.text.Text(visible_text.visible(cell)) for cell in cells))
    rich.console.Console().print(table)
