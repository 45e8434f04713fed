"""`anomalies.json`: what the checks of the data found, split by split."""

from __future__ import annotations

from pydantic import RootModel

from schema.reports.base import Content, Count, Number


class Move(Content):
    """How far the distribution of one feature has moved."""

    value: Number
    """Jensen-Shannon divergence: 0 equal, 1 nothing in common; None: NaN."""
    threshold: float
    """Largest value that is allowed."""
    allowed: bool


class Comparison(Content):
    """The distances to other data."""

    against: str
    """What the data were compared with."""
    compared: bool
    """False: there is nothing to compare with, or too little of it."""
    features: dict[str, Move]
    requests: Count | None = None
    """Logged requests that were compared with; drift has none."""
    bad_lines: Count | None = None
    """Lines of the request log that are no request."""


class SplitAnomalies(Content):
    """One split of the data."""

    examples: Count | None = None
    """Examples that the statistics are of."""
    split_examples: Count | None = None
    """Examples of the split; more than `examples` where they were sampled."""
    anomalies: dict[str, str]
    """Feature to what is wrong with it."""
    drift: Comparison | None = None
    """Distance to the data that passed before."""
    skew: Comparison | None = None
    """Distance to the logged requests."""


class Anomalies(RootModel[dict[str, SplitAnomalies]]):
    """`anomalies.json`: split to what was found in it."""
