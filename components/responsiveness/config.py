"""The part of the configuration that the simulation depends on."""

from __future__ import annotations

from schema import settings


class SimulationConfig(settings.Section):
    """What Responsiveness receives."""

    feedback: settings.FeedbackSettings
    responsiveness: settings.ResponsivenessSettings
    max_length: int

    @classmethod
    def of(cls, config: settings.HeedConfig) -> SimulationConfig:
        """Returns the simulation's part of the whole configuration."""
        return cls(
            feedback=config.feedback,
            responsiveness=config.responsiveness,
            max_length=config.history.max_length,
        )
