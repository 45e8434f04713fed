"""`heed recommend --users`: slates for all users of a log, in a folder of shards.

Histories are read first, by the rules of ingestion, so that a log that is refused costs
no slate. Then each shard is asked, written aside and renamed. Whatever ends a run, the
next one goes on: it reads nothing again that was read, and asks for missing shards
only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.options import pipeline_options

from components.bulk_recommendations import histories, slates, store
from components.event_example_gen import check, plan
from components.ingestion import counts, locations
from pipeline import interrupts, root_lock
from schema import errors, settings
from serving.bundle import faults, manifest, versions, wishes

OnShards = Callable[[int, int], None]
"""Told how many shards of how many are there."""
_NOTHING = wishes.Wishes()
_LOOK_SEC = 0.5
_SPILL = "_spill"


def recommend(
    model_dir: str,
    config: settings.HeedConfig,
    output_dir: str,
    k: int,
    exclude: Sequence[str] = (),
    wished: wishes.Wishes = _NOTHING,
    on_shards: OnShards = lambda done, total: None,
) -> dict[str, Any]:
    """Returns the report once every shard is there.

    Args:
      model_dir: version of a pushed model.
      config: `data.events` names the histories.
      output_dir: folder of the shards, on this machine.
      k: items for each user.
      exclude: items that nobody must be given.
      wished: of every user.
      on_shards: told now and then; from another thread.

    Raises:
      InputError: the log cannot be read or too much of it is refused; the folder
        holds something else; or the model cannot answer.
    """
    feedback = _feedback_of(model_dir, config)
    check.check_source(config.data, config.mapping().events, feedback)
    source = locations.local_files(config.data.events, "data.events")
    spill_dir = os.path.join(output_dir, _SPILL)
    ingestion = histories.plan_of(
        source,
        config,
        feedback,
        os.path.join(output_dir, store.REJECTED),
        spill_dir,
        time.time_ns() // 1_000_000,
    )
    output = store.Store(output_dir, ingestion.num_buckets)
    request = slates.Request(model_dir, feedback.names(), k, tuple(exclude), wished)
    output.make()
    with root_lock.hold(output_dir, "--output"):
        output.open(_description(request, source, config))
        report = output.report()
        if report is not None and not output.missing():
            return report
        _check_model(request)
        options = pipeline_options.PipelineOptions(list(config.beam.args))
        found = output.counted() or _read(ingestion, output, options)
        _check_counts(found, config.data, output)
        _ask(output, request, options, on_shards)
        report = _report(found, output, request)
        output.finish(report)
        return report


def _feedback_of(
    model_dir: str, config: settings.HeedConfig
) -> settings.FeedbackSettings:
    """Returns the policy that the model was trained with."""
    trained = manifest.read(model_dir).get("config", {}).get("feedback")
    return settings.FeedbackSettings(**trained) if trained else config.feedback


def _description(
    request: slates.Request,
    source: Sequence[locations.SourceFile],
    config: settings.HeedConfig,
) -> dict[str, Any]:
    """Returns all that slates depend on."""
    stats = {file.path: os.stat(file.path) for file in source}
    data = config.data.model_dump(mode="json", exclude={"max_rejected_share", "spill"})
    return {
        "model": _identity(request.model_dir),
        "k": request.k,
        "exclude": sorted(request.exclude),
        **request.wished._asdict(),
        "users": {path: [s.st_size, s.st_mtime_ns] for path, s in stats.items()},
        "data": data,
        "mapping": config.mapping().events.model_dump(mode="json"),
        "merge_window_ms": config.history.merge_window_ms,
    }


def _identity(model_dir: str) -> str:
    if known := manifest.model_id(model_dir):
        return known
    with open(os.path.join(model_dir, versions.MODEL_FILE), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:32]


def _check_model(request: slates.Request) -> None:
    try:
        slates.load(request.model_dir).find_signature(request.wished.signature_name())
    except faults.RequestError as error:
        raise errors.InputError(str(error)) from error


def _read(
    ingestion: plan.IngestionPlan,
    output: store.Store,
    options: pipeline_options.PipelineOptions,
) -> counts.Counts:
    output.begin_histories()
    shutil.rmtree(ingestion.spill_dir, ignore_errors=True)
    try:
        with beam.Pipeline(options=options) as pipeline:
            _ = pipeline | histories.ReadHistories(ingestion, output)
    finally:
        shutil.rmtree(ingestion.spill_dir, ignore_errors=True)
    interrupts.check()
    return output.counted() or {}


def _check_counts(
    found: counts.Counts, data: settings.DataSettings, output: store.Store
) -> None:
    counts.check(
        found.get("events_read", 0),
        found.get("events_kept", 0),
        found.get("events_deduplicated", 0),
        found.get("events_rejected", {}),
        data.max_rejected_share,
        data.events,
        output.rejected_dir,
    )


def _ask(
    output: store.Store,
    request: slates.Request,
    options: pipeline_options.PipelineOptions,
    on_shards: OnShards,
) -> None:
    """Writes the missing shards."""
    finished = threading.Event()

    def look() -> None:
        # At the folder: workers may be anywhere.
        while not finished.wait(_LOOK_SEC):
            on_shards(output.num_shards - len(output.missing()), output.num_shards)

    watcher = threading.Thread(target=look, name="shards", daemon=True)
    watcher.start()
    try:
        with beam.Pipeline(options=options) as pipeline:
            _ = (
                pipeline
                | "Shards" >> beam.Create(output.missing())
                | "SpreadShards" >> beam.Reshuffle()
                | "WriteSlates" >> beam.ParDo(slates.WriteSlates(output, request))
            )
    finally:
        finished.set()
        watcher.join()
    interrupts.check()
    on_shards(output.num_shards, output.num_shards)


def _report(
    found: counts.Counts, output: store.Store, request: slates.Request
) -> dict[str, Any]:
    version = os.path.basename(os.path.normpath(request.model_dir))
    return {
        "users": output.num_users(),
        "events_read": found.get("events_read", 0),
        "events_kept": found.get("events_kept", 0),
        "events_deduplicated": found.get("events_deduplicated", 0),
        "events_rejected": found.get("events_rejected", {}),
        "model_version": version,
        "k": request.k,
    }
