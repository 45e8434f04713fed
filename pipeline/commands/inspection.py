"""The command that looks at a log and its catalogue: `heed inspect`."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.commands import shell


@shell.app.command()
def inspect(
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

        resolved = shell.load(config, set_).config
        if not resolved.data.events:
            raise errors.InputError(
                "`data.events` names no event log: set it with `--set data.events=PATH`"
            )
        misfits = []
        for part in overview.parts(resolved, rows):
            for line in part.lines:
                typer.echo(line)
            misfits += [part.misfit] if part.misfit else []
        if misfits:
            raise errors.InputError(misfits[0])
