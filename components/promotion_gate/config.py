"""The part of the configuration that the gate decides by."""

from __future__ import annotations

from components.responsiveness import explanations
from schema import settings


class GateConfig(settings.Section):
    """What PromotionGate receives."""

    gate: settings.GateSettings
    explicit_actions: tuple[str, ...]
    """Simulated treatments that are explicit negative actions, the primary one
    first."""
    has_judge: bool
    """Whether users are set aside of whom nothing is learnt."""

    @classmethod
    def of(cls, config: settings.HeedConfig) -> GateConfig:
        """Returns the gate's part of the whole configuration."""
        known = explanations.measurable(config.responsiveness, config.feedback)
        return cls(
            gate=config.gate,
            explicit_actions=explanations.explicit(known, config.feedback),
            has_judge=config.responsiveness.judge_share > 0.0,
        )
