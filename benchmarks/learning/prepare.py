"""Prepares a log: Heed's own ingestion and Transform, then one neutral file."""

from __future__ import annotations

import datetime
import json
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.learning import log as neutral
from benchmarks.learning import task
from components import held_out
from components.event_example_gen import windows as window_cutting
from pipeline import config as config_lib
from pipeline.runners import local, nodes
from schema import features, settings

_POLARITY = {held_out.POSITIVE: 1, held_out.NEGATIVE: -1, held_out.NEUTRAL: 0}


def run_until_trainer(
    config: settings.HeedConfig, root: pathlib.Path
) -> dict[str, dict[str, str]]:
    """Runs the pipeline's steps up to the Trainer.

    Returns:
      Node id to output key to URI.
    """
    root.mkdir(parents=True, exist_ok=True)
    ir = nodes.compile_pipeline(local.pipeline_in(str(root), config))
    run_id = datetime.datetime.now(datetime.timezone.utc).isoformat()
    nodes.set_run_id(ir, run_id)
    uris: dict[str, dict[str, str]] = {}
    for node_id in nodes.node_ids(ir):
        if node_id == "Trainer":
            return uris
        outputs = nodes.launch(ir, node_id, run_id)
        if outputs is not None:
            uris[node_id] = {k: a.uri for k, a in outputs.artifacts.items()}
    raise RuntimeError("the pipeline has no Trainer")


def read_log(examples_uri: str, config: settings.HeedConfig) -> neutral.Log:
    """Returns the neutral log of raw event examples: each label once, in order."""
    parts: dict[bytes, list[tuple[int, int, held_out.Window]]] = {}
    for split, name in enumerate(features.SPLITS):
        files = tf.io.gfile.glob(f"{examples_uri}/Split-{name}/*")
        for window in held_out.read_windows(files):
            first = int(window.timestamp[window.is_label][0])
            parts.setdefault(window.user_id, []).append((split, first, window))

    columns: dict[str, list[np.ndarray]] = {}
    user_size = []
    for user in sorted(parts):
        # Stable: windows of equal time stay in the order of the file.
        ordered = sorted(parts[user], key=lambda part: part[:2])
        user_size.append(sum(int(w.is_label.sum()) for _, _, w in ordered))
        for split, _, window in ordered:
            chosen = window.is_label
            for column in ("item_id", "timestamp", "action", "value"):
                values = getattr(window, column)[chosen]
                columns.setdefault(column, []).append(values)
            columns.setdefault("split", []).append(np.full(chosen.sum(), split))

    whole = {name: np.concatenate(values) for name, values in columns.items()}
    user_begin = np.concatenate([[0], np.cumsum(user_size)])
    item_id, item = np.unique(whole["item_id"].astype(str), return_inverse=True)
    actions, action_of = np.unique(whole["action"].astype(str), return_inverse=True)
    sign = [_POLARITY[held_out.polarity(a.encode(), config.feedback)] for a in actions]
    num_train = np.add.reduceat(whole["split"] == neutral.TRAIN, user_begin[:-1])
    windows = window_cutting.cut_windows(
        user_begin,
        user_begin[:-1],
        user_begin[:-1] + num_train,
        config.history.max_length,
        config.history.min_context,
    )
    return neutral.Log(
        user_begin=user_begin,
        item=item.astype(np.int32),
        split=whole["split"].astype(np.int8),
        polarity=np.array(sign, np.int8)[action_of],
        timestamp=whole["timestamp"],
        action=actions[action_of],
        value=whole["value"],
        item_id=item_id,
        window_start=windows.start,
        window_label=windows.label,
        window_end=windows.end,
    )


def check_windows(log: neutral.Log, examples_uri: str) -> None:
    """Checks that the windows hold the very items and labels that Heed trains on.

    Raises:
      ValueError: they do not.
    """
    files = tf.io.gfile.glob(f"{examples_uri}/Split-{features.TRAIN}/*")
    own = sorted(
        (int(window.is_label.sum()), *window.item_id.astype(str))
        for window in held_out.read_windows(files)
    )
    bounds = zip(log.window_start, log.window_label, log.window_end, strict=True)
    cut = sorted(
        (int(end - label), *log.item_id[log.item[start:end]])
        for start, label, end in bounds
    )
    if own != cut:
        raise ValueError(f"{len(cut)} windows differ from Heed's {len(own)}")


def prepare(
    config_name: str | None, overrides: list[str], folder: pathlib.Path
) -> dict[str, Any]:
    """Writes `log.npz` and `prepared.json` and returns the latter's content.

    Args:
      config_name: packaged configuration or TOML file; None: the defaults.
      overrides: further `section.key=value`.
      folder: of the prepared log.
    """
    overrides = [
        "data.split=leave_last_out",
        # The published figures are of all users.
        "responsiveness.judge_share=0",
        *overrides,
    ]
    config = config_lib.load(config_name, overrides).config
    uris = run_until_trainer(config, folder.resolve() / "run")
    examples_uri = uris["EventExampleGen"]["examples"]
    log = read_log(examples_uri, config)
    check_windows(log, examples_uri)
    log.save(folder)
    content = {
        "config_name": config_name,
        "overrides": overrides,
        "max_length": config.history.max_length,
        "uris": uris,
        "users": len(log.user_begin) - 1,
        "items": log.num_items,
        "elements": len(log.item),
        "train_labels": log.num_train_labels,
        "train_windows": len(log.window_start),
        "test_targets": len(log.targets(neutral.TEST)),
    }
    (folder / task.META_FILE).write_text(json.dumps(content, indent=1) + "\n")
    return content


def synthetic_overrides(
    folder: pathlib.Path, users: int, items: int, events: int, seed: int
) -> list[str]:
    """Writes a planted-preference log and returns the overrides that read it."""
    output = folder.resolve() / "synthetic"
    command = [sys.executable, "-m", "pipeline.cli", "synthesize"]
    sizes = {"users": users, "items": items, "events": events, "seed": seed}
    for name, value in sizes.items():
        command += [f"--{name}", str(value)]
    subprocess.run([*command, "--output", str(output)], check=True)
    return [
        f"data.events={output / 'events.parquet'}",
        f"data.items={output / 'items.parquet'}",
    ]
