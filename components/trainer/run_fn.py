"""`run_fn` of the Trainer: data in, trained and exported towers out."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from typing import TYPE_CHECKING

import tensorflow as tf
import tensorflow_transform as tft
from absl import logging

from components import artifacts
from components.trainer import (
    candidates,
    catalog_columns,
    compiled_model,
    input_fn,
    local_workers,
    model,
    replicas,
    signatures,
    warm_start,
)
from components.trainer import config as trainer_config
from components.trainer.avoidance import training as avoidance_training
from components.trainer.callbacks import (
    epoch_end,
    step_progress,
    training_state,
    validation,
)
from schema import errors

if TYPE_CHECKING:
    from tfx.components.trainer import fn_args_utils

HISTORY_FILE = "training_history.json"
_VALIDATION_WINDOWS = 64  # Without a gradient to keep, more of them cost less.
_READ_OF_FN_ARGS = (
    "transform_graph_path",
    "train_files",
    "eval_files",
    "custom_config",
    "model_run_dir",
    "serving_model_dir",
)


@dataclasses.dataclass(frozen=True)
class Base:
    """The model that a training starts from."""

    record: str
    """Path that `warm_start.write` wrote."""
    vocabularies: warm_start.Vocabularies
    """Of the new training."""


@input_fn.long_windows_are_bad_input()
def train(
    table: candidates.CandidateTable,
    lookup: tf.lookup.StaticHashTable,
    train_files: list[str],
    eval_files: list[str],
    transform_output: tft.TFTransformOutput,
    config: trainer_config.TrainerConfig,
    run_dir: str,
    checkpoint_dir: str,
    base: Base | None = None,
    strategy: tf.distribute.Strategy | None = None,
) -> tuple[model.TwoTowerModel, training_state.TrainingState]:
    """Returns the trained model, with the weights of its best epoch.

    A training that was killed goes on after its last complete epoch, to the same
    result: weights, optimiser, random generators and the order of windows are restored.

    Args:
      table: the candidates.
      lookup: item id to candidate row.
      train_files: transformed examples to learn from.
      eval_files: transformed examples for early stopping; may be empty.
      transform_output: of the events.
      config: the Trainer's part of the configuration.
      run_dir: directory of history and TensorBoard logs.
      checkpoint_dir: directory of this training's state.
      base: the model to start from; None: random weights.
      strategy: of the workers that train together; None: this process alone.

    Returns:
      The model, and the state that the caller discards once the model is exported.

    Raises:
      InputError: no label can be learnt from, the base does not fit, or windows are
        longer than the setting.
      FloatingPointError: the loss is not finite.
    """
    if not table.num_trained:
        raise errors.InputError(
            "the train split holds no label: check `data.split` and the actions' "
            "polarities in `feedback.actions`"
        )
    tf.keras.utils.set_random_seed(config.train.seed)
    strategy = strategy or tf.distribute.get_strategy()
    worker, num_workers = (
        replicas.worker_index(strategy),
        strategy.num_replicas_in_sync,
    )
    max_length = config.history.max_length
    num_batches, train_windows = input_fn.epochs(
        train_files,
        transform_output,
        lookup,
        config.train.batch_size,
        max_length,
        config.train.seed,
        (worker, num_workers),
    )
    eval_windows = input_fn.windows(
        eval_files,
        transform_output,
        lookup,
        max(config.train.batch_size, _VALIDATION_WINDOWS),
        max_length,
    )
    some_batch = next(iter(eval_windows.concatenate(train_windows(0))))
    with strategy.scope():
        two_tower = compiled_model.build(table, config, num_batches, some_batch)
        if base is not None:
            carried = warm_start.start_from(
                base.record, two_tower, base.vocabularies, config
            )
            logging.info("warm start from %s: %s", base.record, carried)
        state = training_state.TrainingState(
            checkpoint_dir, two_tower, epoch_end.MONITORED, worker
        )
        first_epoch = state.resume()
    patience = config.train.early_stopping_epochs
    if worker:
        # Only the first worker writes; what the others would write is the same.
        run_dir = os.path.join(checkpoint_dir, f"worker-{worker}-run")
    os.makedirs(run_dir, exist_ok=True)
    path_steps = avoidance_training.number_of_steps(two_tower, num_batches)

    def batches_from(epoch: int) -> tf.data.Dataset:
        if num_workers == 1:
            return train_windows(epoch)
        # Each worker's part is cut already.
        return strategy.distribute_datasets_from_function(
            lambda _: train_windows(epoch)
        )

    if not training_state.should_stop(state.history, epoch_end.MONITORED, patience):
        two_tower.fit(
            batches_from(first_epoch),
            initial_epoch=first_epoch,
            epochs=config.train.epochs,
            steps_per_epoch=num_batches,
            callbacks=[
                validation.RankingValidation(
                    eval_windows, config.train.validation_labels
                ),
                step_progress.StepProgress(
                    config.train.epochs,
                    num_batches,
                    epoch_end.MONITORED,
                    num_later_steps=path_steps,
                ),
                epoch_end.Finite(
                    "step {step} of epoch {epoch}",
                    lambda: f"the checkpoint of epoch {len(state.history)} is kept",
                    "lower `train.learning_rate` or `train.negative_weight`",
                ),
                epoch_end.EpochEnd(
                    state, patience, os.path.join(run_dir, HISTORY_FILE)
                ),
                tf.keras.callbacks.TensorBoard(
                    os.path.join(run_dir, "tensorboard"),
                    write_graph=False,
                    profile_batch=0,
                ),
            ],
            verbose=0,
        )
    if patience:
        state.restore_best()
    history = [dict(record) for record in state.history]
    if two_tower.avoidance is not None:
        seconds = avoidance_training.train(
            two_tower,
            two_tower.avoidance,
            table,
            config.train,
            batches_from(config.train.epochs),
            path_steps,
            config.train.epochs * num_batches,
            strategy,
        )
        history[-1]["avoidance_seconds"] = round(seconds, 3)
    # Also of a training that was killed after its last epoch.
    epoch_end.write_history(history, os.path.join(run_dir, HISTORY_FILE))
    with strategy.scope():
        # The first worker discards the files only when all have read them.
        replicas.agree(0.0)
    return two_tower, state


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
    worker = replicas.worker_index(strategy)
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    train_files = tf.io.gfile.glob(fn_args.train_files)
    eval_files = tf.io.gfile.glob(fn_args.eval_files)
    catalog_transform = tft.TFTransformOutput(custom["catalog_transform_graph"])
    table = catalog_columns.read_candidate_table(
        tf.io.gfile.glob(custom["catalog_files"]),
        catalog_transform,
        transform_output,
        config.model,
    )
    lookup = input_fn.row_lookup(table.item_id)
    checkpoint_dir = os.path.join(
        custom["checkpoint_root"],
        training_state.key(
            custom["config"],
            custom["source_digest"],
            *sorted(train_files),
            custom["catalog_files"],
            custom["base_record"],
        ),
    )
    vocabularies = warm_start.read_vocabularies(table, catalog_transform)
    base_record = custom["base_record"]
    two_tower, state = train(
        table,
        lookup,
        train_files,
        eval_files,
        transform_output,
        config,
        fn_args.model_run_dir,
        checkpoint_dir,
        Base(base_record, vocabularies) if base_record else None,
        strategy,
    )
    towers = signatures.Towers(
        two_tower, transform_output, table, config.history.max_length
    )
    if worker:
        # Sums over the workers are saved by all of them together.
        with tempfile.TemporaryDirectory() as unused:
            signatures.export(towers, unused)
        return
    signatures.export(towers, fn_args.serving_model_dir)
    warm_start.write(
        os.path.join(
            os.path.dirname(fn_args.serving_model_dir), artifacts.WARM_START_RECORD
        ),
        two_tower,
        vocabularies,
        config,
    )
    state.discard()
