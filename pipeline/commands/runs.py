"""Commands that run the pipeline, whole or in part."""

from __future__ import annotations

import contextlib
import functools
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from pipeline.commands import shell

if TYPE_CHECKING:
    from pipeline.runners import local


@shell.app.command()
def run(
    root: shell.RootOption,
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Run the whole pipeline locally; a refused model ends with exit code 3."""
    with shell.clear_errors():
        resolved = shell.load(config, set_)
        shell.check_sources(resolved)
    with shell.logged(root, "run") as screen:
        from pipeline.runners import console, summary

        with screen.status("loading TensorFlow, Beam and TFX"):
            from pipeline.runners import local
        with _rendered(root):
            show = functools.partial(console.StepDisplay, screen)
            result = local.run(resolved.config, str(root), show)
        summary.print_summary(screen, str(root), resolved.config, result)
    _exit_unless_pushed(result)


@shell.app.command("refresh-index")
def refresh_index(
    root: shell.RootOption,
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Serve a newer catalogue with the last blessed model, without training."""
    with shell.clear_errors():
        from components.item_catalog_gen import check as catalog_check
        from schema import errors

        resolved = shell.load(config, set_)
        mapping = resolved.config.mapping()
        if resolved.config.data.items:
            catalog_check.check_source(
                resolved.config.data, mapping.items, mapping.events
            )
        if not root.is_dir():
            raise errors.InputError(f"{root} is no directory: no run was made there")
    with shell.logged(root, "refresh-index") as screen:
        with screen.status("loading TensorFlow, Beam and TFX"):
            from pipeline import refresh
            from pipeline.runners import console, summary
        with _rendered(root):
            show = functools.partial(console.StepDisplay, screen)
            result, is_new = refresh.refresh(resolved.config, str(root), show)
        summary.print_summary(screen, str(root), resolved.config, result)
        if result.blessed and not is_new:
            screen.print("nothing new: this catalogue is served already")
    _exit_unless_pushed(result)


@shell.app.command()
def report(
    root: shell.RootOption,
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Render reports/report.html from the reports of the newest run."""
    with shell.clear_errors():
        shell.load(config, set_, reads=())
        from pipeline.report import render

        typer.echo(f"written: {render.write_report(root)}")


def _exit_unless_pushed(result: local.RunResult) -> None:
    if not result.blessed:
        raise typer.Exit(shell.EXIT_REFUSED)
    if result.pushed_version is None:
        typer.echo("failure: blessed, but not pushed; see the log", err=True)
        raise typer.Exit(shell.EXIT_FAILURE)


@contextlib.contextmanager
def _rendered(root: pathlib.Path) -> Iterator[None]:
    """Renders what there is in the end; a page that fails must not fail the run."""
    import logging

    from pipeline.report import render
    from schema import errors

    try:
        yield
    finally:
        try:
            render.write_report(root)
        except errors.InputError as error:
            # A run that ended before ingestion has nothing to show.
            logging.getLogger(__name__).warning("no report: %s", error)
        except Exception:
            logging.getLogger(__name__).exception("the report could not be rendered")
