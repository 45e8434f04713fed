"""One training: the towers are loaded and fitted, then the avoidance path."""

from __future__ import annotations

import dataclasses
import functools
import os
import time
from collections.abc import Callable

import tensorflow as tf
import tensorflow_transform as tft
from absl import logging

from components.trainer import (
    candidates,
    compiled_model,
    input_fn,
    model,
    replicas,
    warm_start,
)
from components.trainer import config as trainer_config
from components.trainer.avoidance import audience
from components.trainer.callbacks import epoch_end, step_progress, validation
from schema import errors

HISTORY_FILE = "training_history.json"
_VALIDATION_WINDOWS = 64  # Without a gradient to keep, more of them cost less.


@dataclasses.dataclass(frozen=True)
class Data:
    """What a training learns from, and what it is judged by."""

    table: candidates.CandidateTable
    vocabularies: warm_start.Vocabularies
    """The strings behind the embeddings of the table."""
    transform_output: tft.TFTransformOutput
    """Of the events."""
    train_files: list[str]
    """Transformed examples to learn from."""
    eval_files: list[str]
    """Transformed examples for early stopping; may be empty of records."""

    @functools.cached_property
    def lookup(self) -> tf.lookup.StaticHashTable:
        """Item id to candidate row."""
        return input_fn.row_lookup(self.table.item_id)


@dataclasses.dataclass(frozen=True)
class Training:
    """Everything that determines a training, and where it keeps its files."""

    data: Data
    config: trainer_config.TrainerConfig
    run_dir: str
    """Directory of history and TensorBoard logs."""
    checkpoint_dir: str
    """Directory of this training's state, which a killed one finds again."""
    base_record: str = ""
    """What `warm_start.write` wrote of a model to start from; empty: there is none."""
    strategy: tf.distribute.Strategy = dataclasses.field(
        default_factory=tf.distribute.get_strategy
    )
    """Of the workers that train together."""

    @property
    def worker(self) -> int:
        """Which of the workers this process is."""
        return replicas.worker_index(self.strategy)

    @property
    def history_path(self) -> str:
        """Where the history goes."""
        return os.path.join(self._worker_dir, HISTORY_FILE)

    @property
    def log_dir(self) -> str:
        """Where TensorBoard finds its logs."""
        return os.path.join(self._worker_dir, "tensorboard")

    @property
    def _worker_dir(self) -> str:
        # What the other workers write is the same, and goes with the state.
        own = os.path.join(self.checkpoint_dir, f"worker-{self.worker}-run")
        return own if self.worker else self.run_dir


@dataclasses.dataclass(frozen=True)
class _Loaded:
    """A training that can go on."""

    two_tower: model.TwoTowerModel
    state: epoch_end.TrainingState
    first_epoch: int
    """From 0: the first that is not done."""
    batches_from: Callable[[int], tf.data.Dataset]
    """Epoch to the endless dataset that starts with it."""
    num_batches: int
    """Steps of an epoch."""
    eval_windows: tf.data.Dataset


@input_fn.long_windows_are_bad_input()
def train(training: Training) -> tuple[model.TwoTowerModel, epoch_end.TrainingState]:
    """Returns the trained model, with the weights of its best epoch.

    A training that was killed goes on after its last complete epoch, to the same
    result: weights, optimiser, random generators and the order of windows are restored.

    Returns:
      The model, and the state that the caller discards once the model is exported.

    Raises:
      InputError: no label can be learnt from, the base does not fit, or windows are
        longer than the setting.
      FloatingPointError: the loss is not finite.
    """
    if not training.data.table.num_trained:
        raise errors.InputError(
            "the train split holds no label: check `data.split` and the actions' "
            "polarities in `feedback.actions`"
        )
    tf.keras.utils.set_random_seed(training.config.train.seed)
    loaded = _load(training)
    _fit(training, loaded)
    _avoid(training, loaded)
    with training.strategy.scope():
        # The first worker discards the files only when all have read them.
        replicas.agree(0.0)
    return loaded.two_tower, loaded.state


def _load(training: Training) -> _Loaded:
    """Returns the towers as they start, or as the last complete epoch left them."""
    data, config, strategy = training.data, training.config, training.strategy
    max_length, batch_size = config.history.max_length, config.train.batch_size
    num_workers = strategy.num_replicas_in_sync
    num_batches, train_windows = input_fn.epochs(
        data.train_files,
        data.transform_output,
        data.lookup,
        batch_size,
        max_length,
        config.train.seed,
        (training.worker, num_workers),
    )
    eval_windows = input_fn.windows(
        data.eval_files,
        data.transform_output,
        data.lookup,
        max(batch_size, _VALIDATION_WINDOWS),
        max_length,
    )
    some_batch = next(iter(eval_windows.concatenate(train_windows(0))))

    def batches_from(epoch: int) -> tf.data.Dataset:
        if num_workers == 1:
            return train_windows(epoch)
        # Each worker's part is cut already.
        return strategy.distribute_datasets_from_function(
            lambda _: train_windows(epoch)
        )

    with strategy.scope():
        two_tower = compiled_model.build(data.table, config, num_batches, some_batch)
        if training.base_record:
            told = warm_start.start_from(
                training.base_record, two_tower, data.vocabularies, config
            )
            logging.info("warm start from %s: %s", training.base_record, told)
        state = epoch_end.TrainingState(
            training.checkpoint_dir, two_tower, training.worker
        )
        first_epoch = state.resume()
    return _Loaded(
        two_tower, state, first_epoch, batches_from, num_batches, eval_windows
    )


def _fit(training: Training, loaded: _Loaded) -> None:
    """Trains the towers, and gives them the weights of their best epoch."""
    settings, state = training.config.train, loaded.state
    patience = settings.early_stopping_epochs
    if not epoch_end.should_stop(state.history, patience):
        loaded.two_tower.fit(
            loaded.batches_from(loaded.first_epoch),
            initial_epoch=loaded.first_epoch,
            epochs=settings.epochs,
            steps_per_epoch=loaded.num_batches,
            callbacks=[
                validation.RankingValidation(
                    loaded.eval_windows, settings.validation_labels
                ),
                step_progress.StepProgress(
                    settings.epochs, loaded.num_batches, epoch_end.MONITORED
                ),
                epoch_end.Finite(
                    "step {step} of epoch {epoch}",
                    lambda: f"the checkpoint of epoch {len(state.history)} is kept",
                    "lower `train.learning_rate` or `train.negative_weight`",
                ),
                epoch_end.EpochEnd(state, patience, training.history_path),
                tf.keras.callbacks.TensorBoard(
                    training.log_dir, write_graph=False, profile_batch=0
                ),
            ],
            verbose=0,
        )
    if patience:
        state.restore_best()


def _avoid(training: Training, loaded: _Loaded) -> None:
    """Fits the avoidance path, if there is one, and writes the whole history."""
    two_tower, data = loaded.two_tower, training.data
    history = [dict(record) for record in loaded.state.history]
    if two_tower.avoidance is not None:
        started = time.monotonic()
        met = audience.read(
            data.train_files,
            data.transform_output,
            data.lookup,
            data.table.num_trained,
        )
        # Every worker reads the whole log, to the same codes.
        with training.strategy.scope():
            embedding = two_tower.candidate_tower.embed_all().numpy()
            two_tower.avoidance.fit(met, embedding)
        history[-1]["avoidance_seconds"] = round(time.monotonic() - started, 3)
    # Also of a training that was killed after its last epoch.
    epoch_end.write_history(history, training.history_path)
