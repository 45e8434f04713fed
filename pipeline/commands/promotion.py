"""People's decisions about what is served."""

from __future__ import annotations

import pathlib
from typing import Annotated

import typer

from pipeline.commands import shell

_READS = ("pipeline.name",)


@shell.app.command()
def promote(
    root: shell.RootOption,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")],
    override: Annotated[
        bool, typer.Option("--override", help="Push although the gate refused.")
    ] = False,
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Push the newest refused model by human decision, recorded in metadata."""
    with shell.clear_errors():
        from schema import errors

        resolved = shell.load(config, set_, _READS)
        if not override:
            raise errors.InputError(
                "the gate promotes by itself; to push a model that it refused, say "
                "`--override`"
            )
        from pipeline.metadata import human_decisions

        name = resolved.config.pipeline.name
        human_decisions.promote(root, name, reason, typer.echo)
        _render_again(root)


@shell.app.command()
def rollback(
    root: shell.RootOption,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")],
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Take the newest version out of service; the one before it serves again."""
    with shell.clear_errors():
        from pipeline.metadata import human_decisions

        name = shell.load(config, set_, _READS).config.pipeline.name
        human_decisions.rollback(root, name, reason, typer.echo)
        _render_again(root)


def _render_again(root: pathlib.Path) -> None:
    """Renders the report with the decision in it, where a run has left one."""
    from pipeline.report import render
    from schema import reports

    if (root / "reports" / reports.INGESTION_FILE).exists():
        typer.echo(f"shown in: {render.write_report(root)}")
