"""Every key of the configuration: its type, unit, range, default and reason.

This package is the single source of truth for settings. It imports nothing heavy,
so that a config is checked before TensorFlow or Beam are loaded. Values come from
`pipeline/configs/*.toml` and `--set`; `pipeline.config` merges and validates them.
A component receives its sections as canonical JSON in its execution properties, so
that ML Metadata records them and the cache notices a change.
"""

from __future__ import annotations

from pydantic import model_validator

from schema.settings.base import NonNegative, Polarity, Positive, Probability, Section
from schema.settings.data import (
    CatalogPolicy,
    ChecksSettings,
    DataSettings,
    ItemFeature,
)
from schema.settings.feedback import (
    DEFAULT_ACTIONS,
    ActionPolicy,
    FeedbackSettings,
    HistorySettings,
)
from schema.settings.mappings import (
    ActionRule,
    EventColumns,
    EventMapping,
    ItemColumns,
    ItemMapping,
    Mapping,
)
from schema.settings.promotion import (
    EvaluationSettings,
    GateSettings,
    IndexSettings,
    ResponsivenessSettings,
    ServingCheckSettings,
)
from schema.settings.training import (
    CandidateFeature,
    ModelSettings,
    NegativeSignal,
    TrainSettings,
    TuningSettings,
)

__all__ = [
    "DEFAULT_ACTIONS",
    "ActionPolicy",
    "ActionRule",
    "BeamSettings",
    "CandidateFeature",
    "CatalogPolicy",
    "ChecksSettings",
    "DataSettings",
    "EvaluationSettings",
    "EventColumns",
    "EventMapping",
    "FeedbackSettings",
    "GateSettings",
    "HeedConfig",
    "HistorySettings",
    "IndexSettings",
    "ItemColumns",
    "ItemFeature",
    "ItemMapping",
    "Mapping",
    "ModelSettings",
    "NegativeSignal",
    "NonNegative",
    "PipelineSettings",
    "Polarity",
    "Positive",
    "Probability",
    "ResponsivenessSettings",
    "Section",
    "ServingCheckSettings",
    "TrainSettings",
    "TuningSettings",
]


class BeamSettings(Section):
    """Arguments of the Beam runner."""

    args: tuple[str, ...] = ("--runner=FnApiRunner",)


class PipelineSettings(Section):
    """The pipeline as orchestrators see it."""

    name: str = "heed"
    enable_cache: bool = True
    image: str = "heed:0.1.0"
    """Container image in which Kubeflow runs the steps."""


class HeedConfig(Section):
    """The whole configuration."""

    pipeline: PipelineSettings = PipelineSettings()
    data: DataSettings = DataSettings()
    checks: ChecksSettings = ChecksSettings()
    mappings: dict[str, Mapping] = {}
    feedback: FeedbackSettings = FeedbackSettings()
    history: HistorySettings = HistorySettings()
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()
    tuning: TuningSettings = TuningSettings()
    index: IndexSettings = IndexSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    responsiveness: ResponsivenessSettings = ResponsivenessSettings()
    serving_check: ServingCheckSettings = ServingCheckSettings()
    gate: GateSettings = GateSettings()
    beam: BeamSettings = BeamSettings()

    @model_validator(mode="after")
    def _names_exist(self) -> HeedConfig:
        if self.data.source != "canonical" and self.data.source not in self.mappings:
            known = ", ".join(["canonical", *sorted(self.mappings)])
            raise ValueError(
                f"`data.source` must be one of {known}; got {self.data.source!r}"
            )
        policy = self.feedback.actions
        simulated = {
            self.responsiveness.control_action: "responsiveness.control_action",
            **{
                a: "responsiveness.trajectory_actions"
                for a in self.responsiveness.trajectory_actions
            },
        }
        for action, key in simulated.items():
            if action not in policy:
                raise ValueError(
                    f"`{key}` names {action!r}, which `feedback.actions` does not "
                    f"define; it defines {', '.join(self.feedback.names())}"
                )
        control = policy[self.responsiveness.control_action]
        if control.polarity == "negative":
            raise ValueError(
                "`responsiveness.control_action` must not be a negative action; "
                f"got {self.responsiveness.control_action!r}"
            )
        return self

    def mapping(self) -> Mapping:
        """Returns the mapping that `data.source` names; canonical is the identity."""
        if self.data.source == "canonical":
            return Mapping()
        return self.mappings[self.data.source]
