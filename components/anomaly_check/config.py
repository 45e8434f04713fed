"""The part of the configuration that one anomaly check depends on."""

from __future__ import annotations

from schema import settings


class AnomalyCheckConfig(settings.Section):
    """What AnomalyCheck receives."""

    max_drift: dict[str, float]
    """Feature to its largest divergence from the data that passed before."""
    max_drift_key: str
    """The setting that holds them, for the message."""
    max_skew: dict[str, float]
    """The same from the logged requests."""
    min_examples: int
    """Fewer, on either side, are not compared."""
    request_log: str
    """Path or glob of logged requests; empty: none."""

    @classmethod
    def of(cls, checks: settings.ChecksSettings, name: str) -> AnomalyCheckConfig:
        """Returns the part about the examples whose drift the setting `name` limits."""
        return cls(
            max_drift=getattr(checks, name),
            max_drift_key=f"checks.{name}",
            max_skew=checks.max_skew,
            min_examples=checks.min_examples,
            request_log=checks.request_log,
        )
