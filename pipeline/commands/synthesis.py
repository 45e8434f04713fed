"""The command that makes a log: `heed synthesize`."""

from __future__ import annotations

import json
import pathlib
from typing import Annotated

import typer

from pipeline.commands import shell


@shell.app.command()
def synthesize(
    output: Annotated[pathlib.Path, typer.Option("--output", help="Directory.")],
    users: Annotated[int, typer.Option("--users")] = 1_000,
    items: Annotated[int, typer.Option("--items")] = 1_000,
    events: Annotated[int, typer.Option("--events")] = 100_000,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    avoidance: Annotated[
        float, typer.Option("--avoidance", help="0: dislikes have no consequence.")
    ] = 0.9,
    min_events: Annotated[
        int, typer.Option("--min-events", help="Fewest events of a user.")
    ] = 1,
    heavy_user_share: Annotated[
        float, typer.Option("--heavy-user-share", help="0: nobody has thousands.")
    ] = 1e-4,
    positives_only: Annotated[
        bool, typer.Option("--positives-only", help="Likes alone, without a value.")
    ] = False,
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Write a log with planted preferences, and the truth behind it."""
    with shell.clear_errors():
        import pydantic
        import rich.progress

        from pipeline.synthesize import settings as synthesis_settings
        from pipeline.synthesize import writer
        from schema import errors

        shell.load(config, set_, reads=())
        try:
            settings = synthesis_settings.SynthesisSettings(
                users=users,
                items=items,
                events=events,
                seed=seed,
                avoidance=avoidance,
                min_events=min_events,
                heavy_user_share=heavy_user_share,
                positives_only=positives_only,
            )
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]).replace("_", "-") if first["loc"] else ""
            where = f"--{name}" if name else "settings"
            raise errors.InputError(f"{where}: {first['msg']}") from error
        with rich.progress.Progress(transient=True) as bar:
            task = bar.add_task("events", total=events)
            summary = writer.synthesize(
                settings,
                output,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
        typer.echo(json.dumps(summary, indent=1, default=str))
