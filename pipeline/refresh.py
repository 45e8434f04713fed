"""A newer catalogue enters the served index, without training.

New items get an embedding from creator and categories, changed ones a new one, and
withdrawn ones leave the index. The way from there on is that of every model: index,
evaluation, responsiveness, serving check, gate, push.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ml_metadata import metadata_store

from pipeline import pipeline as heed_pipeline
from pipeline.metadata import lineage, mlmd, seals
from pipeline.runners import console, local
from schema import errors, settings
from serving.bundle import versions


def refresh(
    config: settings.HeedConfig,
    root: str,
    on_steps: Callable[[list[str]], console.StepDisplay] | None = None,
) -> tuple[local.RunResult, bool]:
    """Builds, checks and pushes the index of the last blessed model once more.

    Args:
      config: the resolved configuration; of its data, only the catalogue is read.
      root: the directory of the run that trained the model.
      on_steps: makes the progress display.

    Returns:
      What the run came to, and whether a version was pushed that was not there before.

    Raises:
      InputError: there is no run, no blessed model or no catalogue, or what the model
        was trained with was changed since.
    """
    if not config.data.items:
        raise errors.InputError(
            "`data.items` names no catalogue: there is nothing newer to serve"
        )
    root = os.path.abspath(root)
    store = mlmd.open_store(root)
    served = os.path.join(local.locations(root).serving_models, config.pipeline.name)
    before = versions.numbers(served)
    result = local.run(
        config,
        root,
        on_steps,
        lambda *how: heed_pipeline.create_refresh_pipeline(_trained_run(store), *how),
    )
    return result, versions.numbers(served) != before


def _trained_run(store: metadata_store.MetadataStore) -> lineage.TrainedRun:
    found = lineage.of_last_blessed(store)
    seals.refuse_changed(
        (
            found.blessed,
            found.towers,
            found.transform_graph,
            found.catalog_transform_graph,
            found.examples,
            found.catalog,
            found.event_anomalies,
        )
    )
    return found
