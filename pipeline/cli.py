"""The command `heed`. Everything heavy is imported inside the commands."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sys
import traceback
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline import config as config_lib

EXIT_FAILURE, EXIT_BAD_INPUT, EXIT_REFUSED = 1, 2, 3

# TFRS refuses Keras 3, and the choice is made when TensorFlow loads.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
# What TensorFlow calls errors while it loads (no GPU) is none; real ones are raised.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Three of TFX's libraries say so at each import; the pins are our choice, not a user's.
warnings.filterwarnings("ignore", message="You are using a non-supported Python")

app = typer.Typer(
    name="heed",
    help="Retrieval recommendations that heed 'not interested'.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[
    str | None,
    typer.Option("--config", metavar="NAME|PATH", help="Packaged config or TOML file."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override; repeatable."),
]
RootOption = Annotated[
    pathlib.Path, typer.Option("--root", help="Directory of the run.")
]


def _load(config: str | None, overrides: list[str] | None) -> config_lib.ResolvedConfig:
    from pipeline import config as config_lib

    return config_lib.load(config, overrides or [])


@contextlib.contextmanager
def _clear_errors(log_file: pathlib.Path | None = None) -> Iterator[None]:
    """Turns errors into one sentence on stderr and the promised exit code."""
    from schema import errors

    try:
        yield
    except errors.InputError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
    except (typer.Exit, typer.Abort, KeyboardInterrupt):
        raise
    except Exception as error:
        cause = _input_error_behind(error)
        if cause is not None:
            typer.echo(f"error: {cause}", err=True)
            raise typer.Exit(EXIT_BAD_INPUT) from error
        summary = str(error).strip().splitlines() or [""]
        typer.echo(f"failure: {type(error).__name__}: {summary[0]}", err=True)
        if log_file is None:
            traceback.print_exc()
        else:
            with log_file.open("a", encoding="utf-8") as log:
                traceback.print_exc(file=log)
            typer.echo(f"the whole story is in {log_file}", err=True)
        raise typer.Exit(EXIT_FAILURE) from error


def _input_error_behind(error: BaseException | None) -> BaseException | None:
    """Returns the InputError that a runner has wrapped, if there is one."""
    from schema import errors

    while error is not None:
        if isinstance(error, errors.InputError):
            return error
        error = error.__cause__ or error.__context__
    return None


@app.command()
def run(root: RootOption, config: ConfigOption = None, set_: SetOption = None) -> None:
    """Run the whole pipeline locally; a refused model ends with exit code 3."""
    with _clear_errors():
        resolved = _load(config, set_)
        _check_sources(resolved)
        (root / "logs").mkdir(parents=True, exist_ok=True)
    import datetime

    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    log_file = root / "logs" / f"run-{stamp}.log"
    from pipeline.runners import console

    with (
        _clear_errors(log_file),
        console.output_to_file(str(log_file)) as screen,
    ):
        from pipeline.runners import summary

        screen.print(f"heed run: logs in {log_file}", highlight=False)
        with screen.status("loading TensorFlow, Beam and TFX"):
            from pipeline.runners import local
        try:
            result = local.run(
                resolved.config,
                str(root),
                on_steps=lambda steps: console.StepDisplay(screen, steps),
            )
        finally:
            _render_report(root)
        summary.print_summary(screen, str(root), resolved.config, result)
    if not result.blessed:
        raise typer.Exit(EXIT_REFUSED)
    if result.pushed_version is None:
        typer.echo("failure: blessed, but not pushed; see the log", err=True)
        raise typer.Exit(EXIT_FAILURE)


@app.command("refresh-index")
def refresh_index(
    root: RootOption, config: ConfigOption = None, set_: SetOption = None
) -> None:
    """Serve a newer catalogue with the last blessed model, without training."""
    import datetime

    with _clear_errors():
        from components.item_catalog_gen import check as catalog_check
        from schema import errors

        resolved = _load(config, set_)
        mapping = resolved.config.mapping()
        if resolved.config.data.items:
            catalog_check.check_source(
                resolved.config.data, mapping.items, mapping.events
            )
        if not root.is_dir():
            raise errors.InputError(f"{root} is no directory: no run was made there")
        (root / "logs").mkdir(exist_ok=True)
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    log_file = root / "logs" / f"refresh-index-{stamp}.log"
    from pipeline.runners import console

    with _clear_errors(log_file), console.output_to_file(str(log_file)) as screen:
        screen.print(f"heed refresh-index: logs in {log_file}", highlight=False)
        with screen.status("loading TensorFlow, Beam and TFX"):
            from pipeline import refresh
            from pipeline.runners import summary
        try:
            result = refresh.refresh(
                resolved.config,
                str(root),
                on_steps=lambda steps: console.StepDisplay(screen, steps),
            )
        finally:
            _render_report(root)
        summary.print_summary(screen, str(root), resolved.config, result.run)
        if result.run.blessed and not result.is_new:
            screen.print("nothing new: this catalogue is served already")
    if not result.run.blessed:
        raise typer.Exit(EXIT_REFUSED)
    if result.run.pushed_version is None:
        typer.echo("failure: blessed, but not pushed; see the log", err=True)
        raise typer.Exit(EXIT_FAILURE)


@app.command()
def tune(
    root: RootOption,
    output: Annotated[
        pathlib.Path, typer.Option("--output", help="TOML file to write.")
    ] = pathlib.Path("tuned.toml"),
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Search hyperparameters; write the best as a file that --config takes."""
    import datetime

    with _clear_errors():
        resolved = _load(config, set_)
        _check_sources(resolved)
        (root / "logs").mkdir(parents=True, exist_ok=True)
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    log_file = root / "logs" / f"tune-{stamp}.log"
    from pipeline.runners import console

    with _clear_errors(log_file), console.output_to_file(str(log_file)) as screen:
        screen.print(f"heed tune: logs in {log_file}", highlight=False)
        with screen.status("loading TensorFlow, Beam and TFX"):
            from pipeline import tune as tune_lib
        trials = tune_lib.tune(
            resolved,
            str(root),
            output,
            on_steps=lambda steps: console.StepDisplay(screen, steps),
        )
        for trial in trials[:5]:
            score = f"{trial.pop('score'):.4f}"
            screen.print(f"{score}  {trial}", highlight=False)
        screen.print(f"the best is in {output}", highlight=False)


def _render_report(root: pathlib.Path) -> None:
    """Renders what there is; a page that fails must not fail the run."""
    import logging

    from pipeline.report import render
    from schema import errors

    try:
        render.write_report(root)
    except errors.InputError as error:
        # A run that ended before ingestion has nothing to show.
        logging.getLogger(__name__).warning("no report: %s", error)
    except Exception:
        logging.getLogger(__name__).exception("the report could not be rendered")


def _check_sources(resolved: config_lib.ResolvedConfig) -> None:
    from components.event_example_gen import sources as event_sources
    from components.item_catalog_gen import check as catalog_check
    from schema import errors

    config = resolved.config
    if not config.data.events:
        raise errors.InputError(
            "`data.events` names no event log: set it with `--set data.events=PATH` or "
            "choose a config such as `--config movielens-small`"
        )
    mapping = config.mapping()
    event_sources.check_source(config.data, mapping.events, config.feedback)
    catalog_check.check_source(config.data, mapping.items, mapping.events)


@app.command()
def recommend(
    model: Annotated[
        pathlib.Path, typer.Option("--model", help="Pushed model, or its parent.")
    ],
    history: Annotated[
        pathlib.Path,
        typer.Option("--history", help="Canonical events of one user, any format."),
    ],
    k: Annotated[int, typer.Option("-k", min=1, help="Recommendations.")] = 10,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="Item id; repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Ask a pushed model what it recommends after a history."""
    with _clear_errors():
        resolved = _load(config, set_)
        from serving import history_file, requests, saved_model

        events = history_file.read_history(history)
        version_dir = saved_model.resolve(model)
        retrieval = saved_model.load(version_dir)
        inputs = requests.build_inputs(
            [requests.merge_exposures(events, resolved.config.history.merge_window_ms)],
            k=k,
            exclude=[exclude or []],
        )
        (answer,) = requests.parse_outputs(retrieval.predict(inputs))
        catalog = _catalog(version_dir)
        if as_json:
            typer.echo(
                json.dumps([{"item_id": r.item_id, "score": r.score} for r in answer])
            )
            return
        _print_recommendations(answer, catalog)


def _catalog(version_dir: pathlib.Path) -> dict[str, dict[str, Any]]:
    path = version_dir / "assets.extra" / "catalog.jsonl"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8") as lines:
        items = [json.loads(line) for line in lines]
    return {item["item_id"]: item for item in items}


def _print_recommendations(answer: Any, catalog: dict[str, dict[str, Any]]) -> None:
    import rich.console
    import rich.table

    table = rich.table.Table(box=None)
    for heading in ("rank", "item", "score", "title", "creator", "categories"):
        table.add_column(heading)
    for rank, item in enumerate(answer, start=1):
        entry = catalog.get(item.item_id, {})
        table.add_row(
            str(rank),
            item.item_id,
            f"{item.score:.3f}",
            entry.get("title", ""),
            entry.get("creator_id", ""),
            ", ".join(entry.get("categories", [])),
        )
    rich.console.Console().print(table)


def _serve(
    models: pathlib.Path, rest_port: int, grpc_port: int, host: str, explore: bool
) -> None:
    with _clear_errors():
        import logging

        from serving import server

        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
        server.serve(
            models, rest_port=rest_port, grpc_port=grpc_port, host=host, explore=explore
        )


ModelsOption = Annotated[
    pathlib.Path,
    typer.Option("--models", help="Directory of versions, as TensorFlow Serving's."),
]
RestPortOption = Annotated[int, typer.Option("--rest-port", help="0: any free.")]
GrpcPortOption = Annotated[int, typer.Option("--grpc-port", help="0: any free.")]
HostOption = Annotated[str, typer.Option("--host", help="Address to listen on.")]


@app.command()
def serve(
    models: ModelsOption,
    rest_port: RestPortOption = 8501,
    grpc_port: GrpcPortOption = 8500,
    host: HostOption = "127.0.0.1",
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Serve pushed models over TensorFlow Serving's REST and gRPC API."""
    with _clear_errors():
        _load(config, set_)
    _serve(models, rest_port, grpc_port, host, explore=False)


@app.command()
def explore(
    models: ModelsOption,
    rest_port: RestPortOption = 8501,
    grpc_port: GrpcPortOption = 0,
    host: HostOption = "127.0.0.1",
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Serve the what-if page: dislike something and see what changes."""
    with _clear_errors():
        _load(config, set_)
    _serve(models, rest_port, grpc_port, host, explore=True)


@app.command("compile")
def compile_(
    runner: Annotated[str, typer.Option("--runner", help="kubeflow or airflow.")],
    output: Annotated[pathlib.Path, typer.Option("--output", help="File to write.")],
    root: Annotated[
        str,
        typer.Option("--root", help="Where runs read and write; a path or URI."),
    ] = "",
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Compile the same pipeline for an orchestrator."""
    with _clear_errors():
        from schema import errors

        resolved = _load(config, set_)
        if runner == "kubeflow":
            from pipeline.runners import kubeflow

            kubeflow.compile_to_file(resolved.config, root, output)
        elif runner == "airflow":
            from pipeline.runners import airflow

            airflow.compile_to_file(resolved.config, root, output)
        else:
            raise errors.InputError(
                f"`--runner` must be `kubeflow` or `airflow`; got {runner!r}"
            )
        typer.echo(f"written: {output}")


@app.command()
def promote(
    root: RootOption,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")],
    override: Annotated[
        bool, typer.Option("--override", help="Push although the gate refused.")
    ] = False,
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Push the newest refused model by human decision, recorded in metadata."""
    with _clear_errors():
        from schema import errors

        resolved = _load(config, set_)
        if not override:
            raise errors.InputError(
                "the gate promotes by itself; to push a model that it refused, say "
                "`--override`"
            )
        from pipeline import decisions

        name = resolved.config.pipeline.name
        typer.echo(f"pushed by override: {decisions.promote(root, name, reason)}")
        _render_again(root)


@app.command()
def rollback(
    root: RootOption,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")],
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Take the newest version out of service; the one before it serves again."""
    with _clear_errors():
        from pipeline import decisions

        name = _load(config, set_).config.pipeline.name
        typer.echo(f"in service again: {decisions.rollback(root, name, reason)}")
        _render_again(root)


def _render_again(root: pathlib.Path) -> None:
    """Renders the report with the decision in it, where a run has left one."""
    from pipeline.report import inputs, render

    if (root / "reports" / inputs.INGESTION_FILE).exists():
        typer.echo(f"shown in: {render.write_report(root)}")


@app.command("run-node", hidden=True)
def run_node(
    ir: Annotated[pathlib.Path, typer.Option("--ir", help="Compiled pipeline.")],
    node: Annotated[str, typer.Option("--node", help="Node to launch.")],
    run_id: Annotated[str, typer.Option("--run-id", help="Shared by the run.")],
) -> None:
    """Launch one node of a compiled pipeline; what an Airflow task calls."""
    with _clear_errors():
        from pipeline.runners import airflow, nodes, reports

        pipeline_ir = airflow.read_ir(ir)
        nodes.set_run_id(pipeline_ir, run_id)
        artifacts = pipeline_ir.runtime_spec.pipeline_root.field_value.string_value
        root = os.path.dirname(artifacts)
        os.makedirs(os.path.join(root, "reports"), exist_ok=True)
        try:
            outputs = nodes.launch(pipeline_ir, node, run_id)
        except BaseException:
            reports.publish_of_failed(root, node)
            raise
        reports.publish(root, node, outputs)
    # A scheduled run that pushed nothing must not look like one that did.
    if node == "Pusher" and outputs and not nodes.is_pushed(outputs):
        typer.echo("refused by the promotion gate; nothing was pushed", err=True)
        raise typer.Exit(EXIT_REFUSED)


@app.command()
def report(
    root: RootOption, config: ConfigOption = None, set_: SetOption = None
) -> None:
    """Render reports/report.html from the reports of the newest run."""
    with _clear_errors():
        _load(config, set_)
        from pipeline.report import render

        typer.echo(f"written: {render.write_report(root)}")


@app.command()
def experiment(
    root: RootOption,
    arms: Annotated[str, typer.Option("--arms", help="`all`, or a,b,c.")] = "all",
    seeds: Annotated[int, typer.Option("--seeds", min=1)] = 1,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="KEY=A,B",
            help="Every value of a setting with every arm, as in "
            "train.negative_weight=0,1,5; repeatable.",
        ),
    ] = None,
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Train several arms, settings and seeds on one log; compare them in one table."""
    import datetime

    with _clear_errors():
        from pipeline import experiment as experiment_lib

        chosen = experiment_lib.variants(
            experiment_lib.parse_arms(arms),
            experiment_lib.parse_sweep(sweep or []),
            lambda more: _load(config, [*(set_ or []), *more]).config,
        )
        _check_sources(_load(config, set_))
        (root / "logs").mkdir(parents=True, exist_ok=True)
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    log_file = root / "logs" / f"experiment-{stamp}.log"
    from pipeline.runners import console

    with _clear_errors(log_file), console.output_to_file(str(log_file)) as screen:
        with screen.status("loading TensorFlow, Beam and TFX"):
            from pipeline.runners import local
        total, done = len(chosen) * seeds, 0

        def show(row: dict[str, Any]) -> None:
            nonlocal done
            done += 1
            figures = ", ".join(
                f"{name} {value:.4f}" if isinstance(value, float) else f"{name} {value}"
                for name, value in row.items()
            )
            screen.print(f"{done}/{total} {figures}", highlight=False)

        content = experiment_lib.compare(chosen, seeds, root, local.run, show)
        screen.print(experiment_lib.to_markdown(content), highlight=False)
        screen.print(f"written: {root / 'reports' / 'experiment.md'}", highlight=False)
        from pipeline.report import render

        # Once more: now with the curve of all arms.
        screen.print(f"report:  {render.write_report(root)}", highlight=False)


@app.command()
def synthesize(
    output: Annotated[pathlib.Path, typer.Option("--output", help="Directory.")],
    users: Annotated[int, typer.Option("--users")] = 1_000,
    items: Annotated[int, typer.Option("--items")] = 1_000,
    events: Annotated[int, typer.Option("--events")] = 100_000,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    avoidance: Annotated[
        float, typer.Option("--avoidance", help="0: dislikes have no consequence.")
    ] = 0.9,
    config: ConfigOption = None,
    set_: SetOption = None,
) -> None:
    """Write a log with planted preferences, and the truth behind it."""
    with _clear_errors():
        import pydantic
        import rich.progress

        from pipeline.synthesize import settings as synthesis_settings
        from pipeline.synthesize import writer
        from schema import errors

        _load(config, set_)
        try:
            settings = synthesis_settings.SynthesisSettings(
                users=users,
                items=items,
                events=events,
                seed=seed,
                avoidance=avoidance,
            )
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            where = "--" + str(first["loc"][0]) if first["loc"] else "settings"
            raise errors.InputError(f"{where}: {first['msg']}") from error
        with rich.progress.Progress(transient=True) as bar:
            task = bar.add_task("events", total=events)
            summary = writer.synthesize(
                settings,
                output,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        typer.echo(json.dumps(summary, indent=1, default=str))


@app.command("validate-config")
def validate_config(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Check the configuration, and that the files it names can be read."""
    with _clear_errors():
        resolved = _load(config, set_)
        if resolved.config.data.events:
            _check_sources(resolved)
        typer.echo("the configuration is valid")


@app.command("print-config")
def print_config(config: ConfigOption = None, set_: SetOption = None) -> None:
    """Show every value, and where it came from."""
    with _clear_errors():
        from pipeline import config as config_lib

        resolved = _load(config, set_)
        values = resolved.config.model_dump(mode="json")
        for key, value in config_lib.flatten(values):
            parts = key.split(".")
            prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
            origin = next(
                (resolved.origin[p] for p in prefixes if p in resolved.origin),
                config_lib.DEFAULT_ORIGIN,
            )
            typer.echo(f"{key} = {json.dumps(value)}  # {origin}")


def main() -> None:
    """Runs the command line."""
    try:
        app()
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
