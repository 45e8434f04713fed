"""`run_fn` of the Trainer: data in, trained and exported towers out."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import tensorflow as tf
import tensorflow_transform as tft

from components import artifacts
from components.trainer import (
    candidates,
    local_workers,
    replicas,
    signatures,
    training,
    warm_start,
)
from components.trainer import config as trainer_config
from components.trainer.callbacks import epoch_end
from schema import settings

if TYPE_CHECKING:
    from tfx.components.trainer import fn_args_utils

_READ_OF_FN_ARGS = (
    "transform_graph_path",
    "train_files",
    "eval_files",
    "custom_config",
    "model_run_dir",
    "serving_model_dir",
)


def read_data(
    fn_args: fn_args_utils.FnArgs, model: settings.ModelSettings
) -> training.Data:
    """Returns what `run_fn` and the Tuner's `tuner_fn` train on.

    Args:
      fn_args: TFX's arguments; `custom_config` holds `catalog_files` and
        `catalog_transform_graph`.
      model: the limits of what is read of one item.
    """
    custom = fn_args.custom_config
    events = tft.TFTransformOutput(fn_args.transform_graph_path)
    catalog = tft.TFTransformOutput(custom["catalog_transform_graph"])
    catalog_files = tf.io.gfile.glob(custom["catalog_files"])
    table = candidates.read_candidate_table(catalog_files, catalog, events, model)
    return training.Data(
        table,
        warm_start.read_vocabularies(table, catalog),
        events,
        tf.io.gfile.glob(fn_args.train_files),
        tf.io.gfile.glob(fn_args.eval_files),
    )


def run_fn(fn_args: fn_args_utils.FnArgs) -> None:
    """Trains and exports the towers.

    Args:
      fn_args: TFX's arguments; `custom_config` holds `config` (canonical JSON of
        `TrainerConfig`), `catalog_files`, `catalog_transform_graph`, `source_digest`,
        `checkpoint_root` and `base_record` (empty: no model to start from).
    """
    custom = fn_args.custom_config
    config = trainer_config.TrainerConfig.from_json(custom["config"])
    num_workers = config.train.num_workers
    if num_workers > 1 and not replicas.cluster_size():
        arguments = {name: getattr(fn_args, name) for name in _READ_OF_FN_ARGS}
        local_workers.train_locally(arguments, num_workers)
        return
    # Before any operation: that is when TensorFlow takes the other workers in.
    strategy = replicas.strategy(num_workers)
    data = read_data(fn_args, config.model)
    state_key = epoch_end.key(
        custom["config"],
        custom["source_digest"],
        *sorted(data.train_files),
        custom["catalog_files"],
        custom["base_record"],
    )
    given = training.Training(
        data,
        config,
        fn_args.model_run_dir,
        os.path.join(custom["checkpoint_root"], state_key),
        custom["base_record"],
        strategy,
    )
    two_tower, state = training.train(given)
    towers = signatures.Towers(
        two_tower, data.transform_output, data.table, config.history.max_length
    )
    if given.worker:
        # Sums over the workers are saved by all of them together.
        with tempfile.TemporaryDirectory() as unused:
            signatures.export(towers, unused)
        return
    signatures.export(towers, fn_args.serving_model_dir)
    model_dir = os.path.dirname(fn_args.serving_model_dir)
    record = os.path.join(model_dir, artifacts.WARM_START_RECORD)
    warm_start.write(record, two_tower, data.vocabularies, config)
    state.discard()
