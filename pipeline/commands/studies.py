"""Commands that train more than one model: `heed tune`, `heed experiment`."""

from __future__ import annotations

import functools
import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import shell

if TYPE_CHECKING:
    from schema import reports


@shell.app.command()
def tune(
    root: shell.RootOption,
    output: Annotated[
        pathlib.Path, typer.Option("--output", help="TOML file to write.")
    ] = pathlib.Path("tuned.toml"),
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Search hyperparameters; write the best as a file that --config takes."""
    with shell.clear_errors():
        resolved = shell.load(config, set_)
        shell.check_sources(resolved)
    with shell.logged(root, "tune") as screen:
        with screen.status("loading TensorFlow, Beam and TFX"):
            from pipeline.runners import console
            from pipeline.studies import tune as tune_lib
        show = functools.partial(console.StepDisplay, screen)
        trials = tune_lib.tune(resolved, str(root), output, show)
        for trial in trials[:5]:
            score = f"{trial.pop('score'):.4f}"
            screen.print(f"{score}  {trial}", highlight=False)
        screen.print(f"the best is in {output}", highlight=False)


@shell.app.command(
    epilog="Example: heed experiment --root runs/control --config movielens-small "
    "--arms none,feature_and_label --sweep index.user_control=0,0.5,1,2 --seeds 3"
)
def experiment(
    root: shell.RootOption,
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
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Train several arms, settings and seeds on one log; compare them in one table.

    Towers are trained once for all values of `index.user_control`: the curve of what
    user control answers, and what it costs, takes one training an arm and seed.
    """
    with shell.clear_errors():
        from pipeline.studies import experiment as experiment_lib
        from pipeline.studies import experiment_figures, experiment_files

        chosen = experiment_lib.variants(
            experiment_lib.parse_arms(arms),
            experiment_lib.parse_sweep(sweep or []),
            lambda more: shell.load(config, [*(set_ or []), *more]).config,
        )
        shell.check_sources(shell.load(config, set_))
    with shell.logged(root, "experiment") as screen:
        with screen.status("loading TensorFlow, Beam and TFX"):
            from pipeline.runners import local
        total, done = len(chosen) * seeds, 0

        def show(row: reports.ExperimentRun) -> None:
            nonlocal done
            done += 1
            figures = ", ".join(
                f"{name} {value:.4f}"
                for name in experiment_figures.METRICS
                if (value := row.figures[name]) is not None
            )
            told = f"{done}/{total} {row.variant}, seed {row.seed}: {figures}"
            screen.print(told, highlight=False)

        content = experiment_lib.compare(chosen, seeds, root, local.run, show)
        screen.print(experiment_files.to_markdown(content), highlight=False)
        table = root / "reports" / experiment_files.TABLE_FILE
        screen.print(f"written: {table}", highlight=False)
        from pipeline.report import render

        # Once more: now with the curve of all arms.
        screen.print(f"report:  {render.write_report(root)}", highlight=False)
