"""What all commands share: the app, common options, errors and exit codes.

Everything heavy is imported inside the functions.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import traceback
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import interrupts

if TYPE_CHECKING:
    from pipeline import config as config_lib

EXIT_FAILURE, EXIT_BAD_INPUT, EXIT_REFUSED = 1, 2, 3

# A module of ours that is missing is a fault of ours, not of what is installed.
_OWN_PACKAGES = ("components", "pipeline", "schema", "serving")

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
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        typer.echo(f"heed {importlib.metadata.version('heed')}")
        raise typer.Exit


@app.callback()
def _heed(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print and exit."
        ),
    ] = False,
) -> None:
    """Retrieval recommendations that heed 'not interested'."""


ConfigOption = Annotated[
    str | None,
    typer.Option("--config", metavar="NAME|PATH", help="Packaged config or TOML file."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override; repeatable."),
]


def _plain_root(root: pathlib.Path) -> pathlib.Path:
    """Refuses names that TFX would take for patterns when it looks for its own files.

    Raises:
      typer.BadParameter: the absolute path holds such a character.
    """
    path = os.path.abspath(root)
    found = [character for character in "*?[" if character in path]
    if found:
        raise typer.BadParameter(
            f"{path} holds {' and '.join(found)}, which TFX takes for a pattern; "
            f"choose a directory without."
        )
    return root


RootOption = Annotated[
    pathlib.Path,
    typer.Option("--root", help="Directory of the run.", callback=_plain_root),
]


def load(
    config: str | None,
    overrides: list[str] | None,
    reads: Sequence[str] | None = None,
) -> config_lib.ResolvedConfig:
    """Returns the configuration of `--config` and `--set`; raises InputError.

    Args:
      config: value of `--config`.
      overrides: values of `--set`.
      reads: sections and keys that the command makes use of, so that any other
        override is refused; None: all but `[serving]`, which steps do not read.
    """
    from pipeline import config as config_lib
    from schema import settings

    if reads is None:
        reads = [name for name in settings.HeedConfig.model_fields if name != "serving"]
    return config_lib.load(config, overrides or [], reads)


@contextlib.contextmanager
def clear_errors(log_file: pathlib.Path | None = None) -> Iterator[None]:
    """Turns errors into one sentence on stderr and the promised exit code."""
    from schema import errors

    try:
        yield
    except errors.InputError as error:
        _complain(f"error: {error}")
        raise typer.Exit(EXIT_BAD_INPUT) from error
    except (typer.Exit, typer.Abort, KeyboardInterrupt):
        raise
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in _OWN_PACKAGES:
            raise
        typer.echo(
            f"error: the Python package `{package}` is missing. pip installs what "
            "`heed serve`, `explore` and `recommend` need as `heed[serving]`; all else "
            "comes from a lock of the repository: `make setup`, or `uv pip sync` with "
            "requirements/py312.lock (Python 3.12 and 3.13, glibc 2.39 or later) or "
            "requirements/py310.lock (Python 3.10)",
            err=True,
        )
        raise typer.Exit(EXIT_BAD_INPUT) from error
    except Exception as error:
        # Native code may answer a signal with an error of its own.
        interrupts.check()
        if log_file is None and isinstance(error, BrokenPipeError):
            # Who read the output has seen enough, as `| head` does; click ends quietly.
            raise
        cause = _input_error_behind(error)
        if cause is not None:
            _complain(f"error: {cause}")
            raise typer.Exit(EXIT_BAD_INPUT) from error
        summary = str(error).strip().splitlines() or [""]
        _complain(f"failure: {type(error).__name__}: {summary[0]}")
        if log_file is None:
            traceback.print_exc()
        else:
            with log_file.open("a", encoding="utf-8") as log:
                traceback.print_exc(file=log)
            typer.echo(f"the whole story is in {log_file}", err=True)
        raise typer.Exit(EXIT_FAILURE) from error


@contextlib.contextmanager
def logged(root: pathlib.Path, name: str) -> Iterator[Any]:
    """Runs a long command with a quiet console and everything else in a log file.

    Args:
      root: directory of the run; the file is `logs/NAME-TIME.log` below it.
      name: of the command.

    Yields:
      The rich console that people see.
    """
    import datetime

    from pipeline.runners import console

    with clear_errors():
        _make_folder(root / "logs")
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    log_file = root / "logs" / f"{name}-{stamp}.log"
    with clear_errors(log_file), console.output_to_file(str(log_file)) as screen:
        screen.print(f"heed {name}: logs in {log_file}", markup=False, highlight=False)
        yield screen


def _make_folder(folder: pathlib.Path) -> None:
    from schema import errors

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.InputError(
            f"{folder} cannot be made: {error.strerror}; choose a `--root` that may "
            f"be written to."
        ) from error


def _complain(sentence: str) -> None:
    from schema import credentials, visible_text

    # It may quote a row of a log, or an address.
    shown = visible_text.visible_lines(credentials.redacted(sentence))
    typer.echo(shown, err=True)


def _input_error_behind(error: BaseException | None) -> BaseException | None:
    """Returns the InputError that a runner has wrapped, if there is one."""
    from schema import errors

    while error is not None:
        if isinstance(error, errors.InputError):
            return error
        error = error.__cause__ or error.__context__
    return None


def check_sources(resolved: config_lib.ResolvedConfig) -> None:
    """Raises InputError where the log or the catalogue cannot be read."""
    from components.event_example_gen import check as event_check
    from components.item_catalog_gen import check as catalog_check
    from schema import errors

    config = resolved.config
    if not config.data.events:
        raise errors.InputError(
            "`data.events` names no event log: set it with `--set data.events=PATH` or "
            "choose a config such as `--config movielens-small`"
        )
    mapping = config.mapping()
    event_check.check_source(config.data, mapping.events, config.feedback)
    catalog_check.check_source(config.data, mapping.items, mapping.events)
