"""The command `heed`. Everything heavy is imported inside the commands."""

from __future__ import annotations

import typer

from pipeline import interrupts

# Each module adds its commands to the app; `--help` lists them in this order.
from pipeline.commands import (  # isort: skip
    runs,  # noqa: F401
    studies,  # noqa: F401
    recommendations,  # noqa: F401
    served,  # noqa: F401
    orchestration,  # noqa: F401
    promotion,  # noqa: F401
    synthesis,  # noqa: F401
    inspection,  # noqa: F401
    configuration,  # noqa: F401
    shell,
)


def main() -> None:
    """Runs the command line."""
    interrupts.listen()
    try:
        shell.app()
    finally:
        code = interrupts.exit_code()
        if code is not None:
            typer.echo("interrupted", err=True)
            interrupts.leave(code)


if __name__ == "__main__":
    main()
