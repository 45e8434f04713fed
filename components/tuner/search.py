"""Seeded random search over the declared ranges, by the validation metric."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import keras_tuner
import tensorflow as tf
import tensorflow_transform as tft
from keras_tuner.engine import base_tuner
from tfx.components.trainer import fn_args_utils

from components.trainer import candidates, catalog_columns, input_fn, run_fn
from components.trainer import config as trainer_config
from components.trainer.callbacks import epoch_end, training_state
from schema import errors, settings


@dataclasses.dataclass(frozen=True)
class Data:
    """What every trial is trained and judged on."""

    table: candidates.CandidateTable
    lookup: tf.lookup.StaticHashTable
    train_files: list[str]
    eval_files: list[str]
    transform_output: tft.TFTransformOutput


def space(tuning: settings.TuningSettings) -> keras_tuner.HyperParameters:
    """Returns the ranges under the dotted keys of the configuration."""
    found = keras_tuner.HyperParameters()
    low, high = tuning.learning_rate
    found.Float("train.learning_rate", low, high, sampling="log")
    found.Float("model.dropout", *tuning.dropout)
    for key, choices in (
        ("train.batch_size", tuning.batch_size),
        ("model.embedding_dim", tuning.embedding_dim),
        ("model.hidden_dim", tuning.hidden_dim),
    ):
        found.Choice(key, list(choices))
    return found


def with_values(
    config: trainer_config.TrainerConfig, values: dict[str, Any]
) -> trainer_config.TrainerConfig:
    """Returns the configuration of one trial.

    Args:
      config: of the run.
      values: dotted key to value; the key's section is `model` or `train`.

    Raises:
      ValidationError: the values do not go together.
    """
    content = config.model_dump(mode="json")
    for key, value in values.items():
        section, name = key.split(".")
        content[section][name] = value
    return trainer_config.TrainerConfig.model_validate(content)


class RandomTuner(base_tuner.BaseTuner):
    """Trains each trial to its best epoch."""

    def __init__(
        self,
        data: Data,
        config: trainer_config.TrainerConfig,
        tuning: settings.TuningSettings,
        directory: str,
    ):
        """Prepares `tuning.trials` trials; `directory` holds their checkpoints."""
        oracle = keras_tuner.oracles.RandomSearchOracle(
            objective=keras_tuner.Objective(epoch_end.MONITORED, "max"),
            max_trials=tuning.trials,
            seed=tuning.seed,
            hyperparameters=space(tuning),
        )
        super().__init__(oracle, directory=directory, project_name="tuning")
        self._data = data
        self._config = config

    def run_trial(self, trial: Any, **unused: Any) -> dict[str, float]:
        """Returns the best validation metric of the trial.

        Raises:
          FailedTrialError: the training diverged; the search goes on.
          InputError: the eval split has nothing to rank.
        """
        directory = os.path.join(self.directory, trial.trial_id)
        # Trials are judged by the towers, which learn the same without a path.
        values = {**trial.hyperparameters.values, "train.similar_set_weight": 0.0}
        try:
            _, state = run_fn.train(
                self._data.table,
                self._data.lookup,
                self._data.train_files,
                self._data.eval_files,
                self._data.transform_output,
                with_values(self._config, values),
                os.path.join(directory, "run"),
                os.path.join(directory, "state"),
            )
        except FloatingPointError as error:
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        best = training_state.best_epoch(state.history, epoch_end.MONITORED)
        if not best:
            raise errors.InputError(
                "the eval split holds no liked label, so that no trial can be judged; "
                "check `data.split`"
            )
        state.discard()
        return {epoch_end.MONITORED: state.history[best - 1][epoch_end.MONITORED]}

    def load_model(self, trial: Any) -> None:
        """Keeps no model: the best values are trained by a run of their own."""


def tuner_fn(fn_args: fn_args_utils.FnArgs) -> Any:
    """Returns the tuner that TFX's Tuner runs.

    Args:
      fn_args: TFX's arguments; `custom_config` holds `config`, `tuning` (canonical
        JSON), `catalog_files` and `catalog_transform_graph`.
    """
    # TFX's own module of components loads this one.
    from tfx.components.tuner import component as tfx_tuner

    custom = fn_args.custom_config
    config = trainer_config.TrainerConfig.from_json(custom["config"])
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    table = catalog_columns.read_candidate_table(
        tf.io.gfile.glob(custom["catalog_files"]),
        tft.TFTransformOutput(custom["catalog_transform_graph"]),
        transform_output,
        config.model,
    )
    data = Data(
        table,
        input_fn.row_lookup(table.item_id),
        tf.io.gfile.glob(fn_args.train_files),
        tf.io.gfile.glob(fn_args.eval_files),
        transform_output,
    )
    tuning = settings.TuningSettings.from_json(custom["tuning"])
    tuner = RandomTuner(data, config, tuning, fn_args.working_dir)
    return tfx_tuner.TunerFnResult(tuner=tuner, fit_kwargs={})
