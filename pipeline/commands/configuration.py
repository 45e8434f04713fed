"""Commands that check and show the configuration."""

from __future__ import annotations

import json

import typer

from pipeline.commands import shell


@shell.app.command("validate-config")
def validate_config(
    config: shell.ConfigOption = None, set_: shell.SetOption = None
) -> None:
    """Check the configuration, and that the files it names can be read."""
    with shell.clear_errors():
        from schema import settings

        resolved = shell.load(config, set_, tuple(settings.HeedConfig.model_fields))
        if resolved.config.data.events:
            shell.check_sources(resolved)
        typer.echo("the configuration is valid")


@shell.app.command("print-config")
def print_config(
    config: shell.ConfigOption = None, set_: shell.SetOption = None
) -> None:
    """Show every value, and where it came from."""
    with shell.clear_errors():
        from pipeline import config as config_lib
        from schema import settings

        resolved = shell.load(config, set_, tuple(settings.HeedConfig.model_fields))
        values = resolved.config.model_dump(mode="json")
        for key, value in config_lib.flatten(values):
            parts = key.split(".")
            prefixes = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
            origin = next(
                (resolved.origin[p] for p in prefixes if p in resolved.origin),
                config_lib.DEFAULT_ORIGIN,
            )
            typer.echo(f"{key} = {json.dumps(value)}  # {origin}")
