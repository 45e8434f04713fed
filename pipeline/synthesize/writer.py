"""Writes a synthetic log with its catalogue and its ground truth.

The directory appears under its name only when it is complete. Memory holds one block
of users and one row group, whatever the number of events.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.synthesize import catalogue as catalogues
from pipeline.synthesize import simulation, tables
from pipeline.synthesize.settings import SynthesisSettings
from schema import errors

# About 40 bytes a row in memory; readers take row groups as units of parallel work.
ROWS_PER_GROUP = 524_288
PARAMETERS = "ground_truth/parameters.json"


def synthesize(
    settings: SynthesisSettings,
    output: pathlib.Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Writes `events.parquet`, `items.parquet` and `ground_truth/` below `output`.

    Equal settings write equal bytes (with equal library versions).

    Args:
      settings: of the log.
      output: directory to make. One that an earlier call wrote is replaced.
      progress: called with the events written so far and their total.

    Returns:
      The counts: `users`, `items`, `events`, `exposures`, `actions` (name to rows),
      `users_with_dislikes`, and the directory as `output`.

    Raises:
      InputError: `output` holds something else, or the settings leave users nothing
        to see.
    """
    _check_output(output)
    given, output = output, output.resolve()
    output.parent.mkdir(parents=True, exist_ok=True)
    aside = output.with_name(f".{output.name}.partial-{os.getpid()}")
    try:
        (aside / "ground_truth").mkdir(parents=True)
        summary = _write_all(settings, aside, progress)
        _put_in_place(aside, output)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return {**summary, "output": str(given)}


def _write_all(
    settings: SynthesisSettings,
    folder: pathlib.Path,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    catalogue = catalogues.build_catalogue(settings)
    names = tables.Names(settings)
    _write_table(folder / "items.parquet", [tables.items(names, catalogue)])
    truth = folder / "ground_truth"
    _write_table(truth / "items.parquet", [tables.true_items(names, catalogue)])
    _write_table(truth / "users.parquet", tables.true_users(settings, names, catalogue))
    summary = _write_log(settings, folder, catalogue, names, progress)
    parameters = {
        "settings": settings.model_dump(mode="json"),
        "num_creators": settings.num_creators,
        "content_clusters": names.cluster.to_pylist(),
        "summary": summary,
    }
    text = json.dumps(parameters, indent=2, sort_keys=True)
    (folder / PARAMETERS).write_text(text + "\n", encoding="utf-8")
    return summary


def _write_log(
    settings: SynthesisSettings,
    folder: pathlib.Path,
    catalogue: catalogues.Catalogue,
    names: tables.Names,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Writes the event log and the list of its dislikes, and counts."""
    actions = np.zeros(len(simulation.ACTIONS), np.int64)
    exposures = users_with_dislikes = written = 0
    last_disliker = -1
    with (
        pq.ParquetWriter(folder / "events.parquet", tables.EVENTS) as log,
        pq.ParquetWriter(
            folder / "ground_truth" / "dislikes.parquet", tables.DISLIKES
        ) as found,
    ):
        for rows in _row_groups(simulation.simulate(settings, catalogue)):
            log.write_table(tables.events(names, rows))
            found.write_table(tables.dislikes(names, catalogue, rows))
            actions += np.bincount(rows.action, minlength=actions.size)
            exposures += int((rows.sequence == 0).sum())
            dislikers = np.unique(rows.user[rows.action == simulation.DISLIKE])
            if dislikers.size:
                # A user may straddle two row groups.
                users_with_dislikes += int((dislikers != last_disliker).sum())
                last_disliker = int(dislikers[-1])
            written += rows.user.size
            progress(written, settings.events)
    return {
        "users": settings.users,
        "items": settings.items,
        "events": written,
        "exposures": exposures,
        "actions": dict(zip(simulation.ACTIONS, actions.tolist(), strict=True)),
        "users_with_dislikes": users_with_dislikes,
    }


def _row_groups(blocks: Iterable[simulation.Rows]) -> Iterator[simulation.Rows]:
    """Regroups rows so that row groups do not depend on blocks."""
    waiting: list[simulation.Rows] = []
    size = 0
    for block in blocks:
        waiting.append(block)
        size += block.user.size
        while size >= ROWS_PER_GROUP:
            merged = simulation.Rows.concatenate(waiting)
            yield merged[:ROWS_PER_GROUP]
            waiting = [merged[ROWS_PER_GROUP:]]
            size -= ROWS_PER_GROUP
    if size:
        yield simulation.Rows.concatenate(waiting)


def _write_table(path: pathlib.Path, groups: Iterable[pa.Table]) -> None:
    """Writes each table as a row group of one file."""
    groups = iter(groups)
    first = next(groups)
    with pq.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for group in groups:
            writer.write_table(group)


def _check_output(output: pathlib.Path) -> None:
    if not output.exists():
        return
    if not output.is_dir():
        raise errors.InputError(f"{output} must be a directory; it is a file")
    if any(output.iterdir()) and not (output / PARAMETERS).is_file():
        raise errors.InputError(
            f"{output} is not empty and holds no {PARAMETERS}, so it is not an earlier "
            "synthetic log; name another directory, or empty this one"
        )


def _put_in_place(aside: pathlib.Path, output: pathlib.Path) -> None:
    """Renames the finished directory; an earlier one is moved away, then removed."""
    if not output.exists():
        aside.rename(output)
        return
    replaced = output.with_name(f".{output.name}.replaced-{os.getpid()}")
    output.rename(replaced)
    aside.rename(output)
    shutil.rmtree(replaced)
