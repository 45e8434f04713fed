"""The command that looks at a log and its catalogue: `heed inspect`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pipeline.commands import shell


@shell.app.command()
def inspect(
    log: Annotated[
        str | None,
        typer.Argument(metavar="[FILE|GLOB]", help="A log; else `data.events`."),
    ] = None,
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
    rows: Annotated[
        int, typer.Option("--rows", min=1, help="How many first rows are read.")
    ] = 10_000,
) -> None:
    """Show what would become of the first rows of the log and its catalogue."""
    with shell.clear_errors():
        from pipeline.inspection import overview
        from schema import errors

        given = [f"data.events={json.dumps(log)}"] if log else []
        resolved = shell.load(config, [*(set_ or []), *given]).config
        if not resolved.data.events:
            raise errors.InputError(
                "`data.events` names no event log: give a path, as in "
                "`heed inspect log.parquet`, or a config that names one"
            )
        misfits = []
        for part in overview.parts(resolved, rows):
            for line in part.lines:
                typer.echo(line)
            misfits += [part.misfit] if part.misfit else []
        if misfits:
            raise errors.InputError(misfits[0])
