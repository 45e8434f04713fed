"""Commands that ask or serve a pushed model."""

from __future__ import annotations

import json
import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import shell

if TYPE_CHECKING:
    from schema import settings
    from serving import requests
    from serving.bundle import catalog


@shell.app.command(
    epilog="Example: heed recommend --model runs/sample/serving_models/heed "
    "--history user.jsonl -k 20 --json"
)
def recommend(
    model: Annotated[
        pathlib.Path,
        typer.Option("--model", "--models", help="Pushed model, or its parent."),
    ],
    history: Annotated[
        pathlib.Path,
        typer.Option("--history", help="Canonical events of one user, any format."),
    ],
    k: Annotated[int, typer.Option("-k", min=1, help="Recommendations.")] = 10,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="Item id; repeatable.")
    ] = None,
    user_control: Annotated[
        float | None,
        typer.Option(
            "--user-control",
            min=0.0,
            max=2.0,
            help="How far to answer dislikes, 0 to 2; default: as the model is served.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Ask a pushed model what it recommends after a history."""
    with shell.clear_errors():
        reads = ("history.merge_window_ms", "serving.unknown_actions")
        chosen = shell.load(config, set_, reads).config
        import numpy as np

        from serving import history_file, requests
        from serving.bundle import catalog, saved_model, signature

        events = history_file.read_history(history)
        retrieval = saved_model.load(model)
        _tell_unknown(events, retrieval.directory, chosen.serving.unknown_actions)
        inputs = requests.build_inputs(
            [requests.merge_exposures(events, chosen.history.merge_window_ms)],
            k=k,
            exclude=[exclude or []],
        )
        asked = signature.DEFAULT_SIGNATURE
        if user_control is not None:
            asked = signature.CONTROLLED_SIGNATURE
            inputs[signature.USER_CONTROL] = np.array([user_control], np.float32)
        (answer,) = requests.parse_outputs(retrieval.predict(inputs, asked))
        items = catalog.read(retrieval.directory)
        if as_json:
            typer.echo(json.dumps([_as_json(one, items) for one in answer]))
            return
        _print_recommendations(answer, items)


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


ModelsOption = Annotated[
    pathlib.Path,
    typer.Option(
        "--models", "--model", help="Directory of versions, as TensorFlow Serving's."
    ),
]
RestPortOption = Annotated[int, typer.Option("--rest-port", help="0: any free.")]
GrpcPortOption = Annotated[int, typer.Option("--grpc-port", help="0: any free.")]
HostOption = Annotated[str, typer.Option("--host", help="Address to listen on.")]


@shell.app.command(
    epilog="Example: heed serve --models runs/sample/serving_models/heed "
    "--set serving.max_k=100"
)
def serve(
    models: ModelsOption,
    rest_port: RestPortOption = 8501,
    grpc_port: GrpcPortOption = 8500,
    host: HostOption = "127.0.0.1",
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Serve pushed models over TensorFlow Serving's REST and gRPC API."""
    with shell.clear_errors():
        chosen = shell.load(config, set_, reads=("serving",)).config.serving
        _serve(models, rest_port, grpc_port, host, chosen, explore=False)


@shell.app.command(
    epilog="Example: heed explore --models runs/sample/serving_models/heed"
)
def explore(
    models: ModelsOption,
    rest_port: RestPortOption = 8501,
    grpc_port: GrpcPortOption = 0,
    host: HostOption = "127.0.0.1",
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Serve the what-if page: dislike something and see what changes."""
    with shell.clear_errors():
        chosen = shell.load(config, set_, reads=("serving",)).config.serving
        _serve(models, rest_port, grpc_port, host, chosen, explore=True)


def _serve(
    models: pathlib.Path,
    rest_port: int,
    grpc_port: int,
    host: str,
    chosen: settings.ServingSettings,
    explore: bool,
) -> None:
    import logging

    from serving.server import server

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    server.serve(
        models,
        rest_port=rest_port,
        grpc_port=grpc_port,
        host=host,
        explore=explore,
        chosen=chosen,
    )
