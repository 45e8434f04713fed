"""`tuner_fn` of the Tuner: what TFX's executor searches with."""

from __future__ import annotations

from tfx.components.trainer import fn_args_utils
from tfx.components.tuner import component as tfx_tuner

from components.trainer import config as trainer_config
from components.trainer import run_fn
from components.tuner import search
from schema import settings


def tuner_fn(fn_args: fn_args_utils.FnArgs) -> tfx_tuner.TunerFnResult:
    """Returns the tuner that TFX's Tuner runs.

    Args:
      fn_args: TFX's arguments; `custom_config` holds `config`, `tuning` (canonical
        JSON), `catalog_files` and `catalog_transform_graph`.
    """
    custom = fn_args.custom_config
    config = trainer_config.TrainerConfig.from_json(custom["config"])
    tuner = search.RandomTuner(
        run_fn.read_data(fn_args, config.model),
        config,
        settings.TuningSettings.from_json(custom["tuning"]),
        fn_args.working_dir,
    )
    return tfx_tuner.TunerFnResult(tuner=tuner, fit_kwargs={})
