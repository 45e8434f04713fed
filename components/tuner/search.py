"""Seeded random search over the declared ranges, by the validation metric."""

from __future__ import annotations

import os
from typing import Any

import keras_tuner
from keras_tuner.engine import base_tuner

from components.trainer import config as trainer_config
from components.trainer import training
from components.trainer.callbacks import epoch_end
from schema import errors, settings


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
        data: training.Data,
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
        try:
            _, state = training.train(
                training.Training(
                    self._data,
                    with_values(self._config, trial.hyperparameters.values),
                    os.path.join(directory, "run"),
                    os.path.join(directory, "state"),
                )
            )
        except FloatingPointError as error:
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        best = epoch_end.best_epoch(state.history)
        if not best:
            raise errors.InputError(
                "the eval split holds no liked label, so that no trial can be judged; "
                "check `data.split`"
            )
        state.discard()
        return {epoch_end.MONITORED: state.history[best - 1][epoch_end.MONITORED]}

    def load_model(self, trial: Any) -> None:
        """Keeps no model: the best values are trained by a run of their own."""
