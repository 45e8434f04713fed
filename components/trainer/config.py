"""The part of the configuration that training depends on."""

from __future__ import annotations

from schema import settings


class TrainerConfig(settings.Section):
    """What the Trainer receives; nothing else may change its result."""

    feedback: settings.FeedbackSettings
    history: settings.HistorySettings
    model: settings.ModelSettings
    train: settings.TrainSettings
    control_action: str
    control_value: float | None

    @classmethod
    def of(cls, config: settings.HeedConfig) -> TrainerConfig:
        """Returns the Trainer's part of the whole configuration."""
        return cls(
            feedback=config.feedback,
            history=config.history,
            model=config.model,
            train=config.train,
            control_action=config.responsiveness.control_action,
            control_value=config.responsiveness.control_value,
        )
