"""Transform: TFX's, with an executor that applies the graph file by file."""

from __future__ import annotations

from collections.abc import Sequence

from tfx import types
from tfx.components.transform import component
from tfx.dsl.components.base import executor_spec
from tfx.proto import transform_pb2

from components import source_digest
from components.transform import executor


class Transform(component.Transform):
    """Outputs `transform_graph` and `transformed_examples`, as TFX's component does."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        schema: types.BaseChannel,
        preprocessing_fn: str,
        analyze: str,
        transform: Sequence[str],
        custom_config: dict[str, str] | None = None,
    ):
        """Wires the component.

        Args:
          examples: what is transformed.
          schema: of them.
          preprocessing_fn: dotted name.
          analyze: the split from which vocabularies are learnt.
          transform: the splits that are written transformed.
          custom_config: what the function receives of the configuration.
        """
        super().__init__(
            examples=examples,
            schema=schema,
            preprocessing_fn=preprocessing_fn,
            splits_config=transform_pb2.SplitsConfig(
                analyze=[analyze], transform=transform
            ),
            custom_config={
                **(custom_config or {}),
                "source_digest": source_digest.source_digest(
                    preprocessing_fn.rpartition(".")[0], executor.__name__
                ),
            },
            # StatisticsGen counts the examples; nothing reads those of the two sides.
            disable_statistics=True,
            # Nothing brings a cache from one run to the next.
            disable_analyzer_cache=True,
        )
