"""EventExampleGen: an event log in, windows of user histories out."""

from __future__ import annotations

from tfx import types
from tfx.components.example_gen import component as example_gen
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts

from components import artifacts, specs
from components.event_example_gen import executor
from components.ingestion import driver
from components.ingestion import executor as ingestion
from schema import settings


class EventExampleGenSpec(types.ComponentSpec):
    """See `executor.EventExecutor.Do`."""

    PARAMETERS = ingestion.SOURCE_PARAMETERS | specs.strings(
        executor.FEEDBACK, executor.HISTORY, executor.JUDGE_SHARE
    )
    INPUTS = specs.channels()
    OUTPUTS = specs.channels(
        examples=standard_artifacts.Examples, ingestion_report=artifacts.IngestionReport
    )


class EventExampleGen(example_gen.FileBasedExampleGen):
    """Ingests an event log.

    Outputs:
      examples: splits train, eval, test and perhaps judge; one example is one window
        of one user's history, see `schema.features`.
      ingestion_report: what became of each row.
    """

    SPEC_CLASS = EventExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.EventExecutor)
    DRIVER_CLASS = driver.SourceDriver

    def __init__(
        self,
        data: settings.DataSettings,
        mapping: settings.EventMapping,
        feedback: settings.FeedbackSettings,
        history: settings.HistorySettings,
        judge_share: float = 0.0,
    ):
        """Wires the component.

        Args:
          data: where the log lies and how it is split; `data.items` is ignored.
          mapping: from its columns to canonical events.
          feedback: the policy of actions.
          history: merging and windows.
          judge_share: share of users that judge; 0: there is no split of theirs.
        """
        spec = specs.fill(
            EventExampleGenSpec,
            executor.__name__,
            **driver.source_properties(data.events, data.window_spans),
            data=data.model_copy(update={"items": "", "item_features": {}}).to_json(),
            mapping=mapping.to_json(),
            feedback=feedback.to_json(),
            history=history.to_json(),
            judge_share=repr(judge_share),
        )
        # The parent's initialiser builds the specification of its own.
        base_beam_component.BaseBeamComponent.__init__(self, spec=spec)
