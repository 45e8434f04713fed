"""Every key of the configuration: its type, unit, range, default and reason.

This package is the single source of truth for settings. It imports nothing heavy,
so that a config is checked before TensorFlow or Beam are loaded. Values come from
`pipeline/configs/*.toml` and `--set`; `pipeline.config` merges and validates them.
A component receives its sections as canonical JSON in its execution properties, so
that ML Metadata records them and the cache notices a change.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, model_validator

from schema.settings.base import NonNegative as NonNegative
from schema.settings.base import Positive as Positive
from schema.settings.base import Probability as Probability
from schema.settings.base import Section as Section
from schema.settings.data import ChecksSettings as ChecksSettings
from schema.settings.data import DataSettings as DataSettings
from schema.settings.data import ItemFeature as ItemFeature
from schema.settings.feedback import ActionPolicy as ActionPolicy
from schema.settings.feedback import FeedbackSettings as FeedbackSettings
from schema.settings.feedback import HistorySettings as HistorySettings
from schema.settings.mappings import ActionRule as ActionRule
from schema.settings.mappings import EventColumns as EventColumns
from schema.settings.mappings import EventMapping as EventMapping
from schema.settings.mappings import ItemColumns as ItemColumns
from schema.settings.mappings import ItemMapping as ItemMapping
from schema.settings.mappings import Mapping as Mapping
from schema.settings.promotion import EvaluationSettings as EvaluationSettings
from schema.settings.promotion import GateSettings as GateSettings
from schema.settings.promotion import IndexSettings as IndexSettings
from schema.settings.promotion import ResponsivenessSettings as ResponsivenessSettings
from schema.settings.promotion import ServingCheckSettings as ServingCheckSettings
from schema.settings.serving import ServingSettings as ServingSettings
from schema.settings.training import ModelSettings as ModelSettings
from schema.settings.training import NegativeSignal as NegativeSignal
from schema.settings.training import TrainSettings as TrainSettings
from schema.settings.training import TuningSettings as TuningSettings


class BeamSettings(Section):
    """Arguments of the Beam runner."""

    args: tuple[str, ...] = ("--runner=FnApiRunner",)
    """Words of the command line of a Beam runner."""


def _is_name(name: str) -> str:
    # It becomes a folder below `serving_models`.
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", name):
        raise ValueError(
            "must be 1 to 128 letters, digits, `_`, `-` and `.`, not begun by `-` or "
            "`.`"
        )
    return name


class PipelineSettings(Section):
    """The pipeline as orchestrators see it."""

    name: Annotated[str, AfterValidator(_is_name)] = "heed"
    """Names the pushed model and the runs in the metadata."""
    enable_cache: bool = True
    """Steps whose settings, inputs and source are the same are reused."""
    image: str = "heed:0.2.0"
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
    serving: ServingSettings = ServingSettings()
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

    @model_validator(mode="after")
    def _gate_asks_what_is_measured(self) -> HeedConfig:
        gate, measured = self.gate, self.responsiveness
        if gate.judge == "required" and not measured.judge_share:
            raise ValueError(
                '`gate.judge` = "required" needs users who judge; got '
                "`responsiveness.judge_share` = 0"
            )
        later, probes = gate.lasting_events, measured.probe_simulations
        if later and not (probes and later in measured.persistence_events):
            raise ValueError(
                f"`gate.lasting_events` = {later} must be one of `responsiveness."
                f"persistence_events` = {list(measured.persistence_events)}, with "
                f"`responsiveness.probe_simulations` above 0; got {probes}. Set it to "
                '"none" to ask for no lasting answer'
            )
        gap, gaps = gate.lasting_gap_ms, measured.persistence_gaps_ms
        if later and gap and gap not in gaps:
            raise ValueError(
                f"`gate.lasting_gap_ms` = {gap} must be one of `responsiveness."
                f'persistence_gaps_ms` = {list(gaps)}. Set it to "none" to ask for no '
                "answer after a pause"
            )
        for section in ("evaluation", "responsiveness"):
            given = getattr(self, section)
            for name in ("confidence", "bootstrap_samples"):
                least, value = getattr(gate, f"min_{name}"), getattr(given, name)
                if value < least:
                    raise ValueError(
                        f"`{section}.{name}` must be at least `gate.min_{name}` = "
                        f"{least}, or no interval could be believed; got {value}"
                    )
        for key in gate.similarities or ():
            _, _, action = key.partition(".")
            if action not in self.feedback.actions:
                raise ValueError(
                    "`gate.similarities` must hold SIMILARITY.ACTION with an action of "
                    f"`feedback.actions`, as creator.dislike; got {key!r}"
                )
        return self

    def mapping(self) -> Mapping:
        """Returns the mapping that `data.source` names; canonical is the identity."""
        if self.data.source == "canonical":
            return Mapping()
        return self.mappings[self.data.source]
