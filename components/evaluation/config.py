"""The part of the configuration that evaluation depends on."""

from __future__ import annotations

from schema import settings


class EvaluationConfig(settings.Section):
    """What Evaluation receives."""

    feedback: settings.FeedbackSettings
    evaluation: settings.EvaluationSettings

    @classmethod
    def of(cls, config: settings.HeedConfig) -> EvaluationConfig:
        """Returns Evaluation's part of the whole configuration."""
        return cls(feedback=config.feedback, evaluation=config.evaluation)
