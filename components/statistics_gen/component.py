"""StatisticsGen: TFX's, with an executor that reads each file once."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tfx import types
from tfx.components.statistics_gen import component
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_component_specs

from components import specs
from components.statistics_gen import executor


class StatisticsGenSpec(types.ComponentSpec):
    """See `executor.Executor.Do`."""

    PARAMETERS = specs.strings(
        standard_component_specs.EXCLUDE_SPLITS_KEY, executor.MAX_EXAMPLES
    )
    INPUTS = {
        standard_component_specs.EXAMPLES_KEY: (
            standard_component_specs.StatisticsGenSpec.INPUTS[
                standard_component_specs.EXAMPLES_KEY
            ]
        )
    }
    OUTPUTS = standard_component_specs.StatisticsGenSpec.OUTPUTS
    TYPE_ANNOTATION = standard_component_specs.StatisticsGenSpec.TYPE_ANNOTATION


class StatisticsGen(component.StatisticsGen):
    """Outputs `statistics`, as TFX's component does."""

    SPEC_CLASS = StatisticsGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        exclude_splits: Sequence[str],
        max_examples: int,
    ):
        """Wires the component.

        Args:
          examples: what is counted.
          exclude_splits: names of splits that are not.
          max_examples: of a split that are counted; more are sampled in equal steps.
        """
        spec = specs.fill(
            StatisticsGenSpec,
            executor.__name__,
            examples=examples,
            exclude_splits=json.dumps(list(exclude_splits)),
            max_examples=str(max_examples),
        )
        base_beam_component.BaseBeamComponent.__init__(self, spec=spec)
