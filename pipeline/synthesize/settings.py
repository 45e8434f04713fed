"""Settings of a synthetic log: how many users, what they like, how they react."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schema.settings import NonNegative, Positive, Probability, Section

DAY_MS = 86_400_000
HEAVY_USERS_MAX_SHARE_OF_EVENTS = 0.25
MIN_MS_PER_EVENT = 4

# Cells of a table of users by content clusters; bounds memory where clusters are many.
MAX_TABLE_CELLS = 2**21

Resemblance = Literal["creator", "cluster"]
OpenShare = Annotated[float, Field(gt=0.0, lt=1.0)]


class SynthesisSettings(Section):
    """Everything that determines a synthetic log; equal settings, equal bytes."""

    users: Positive = 1_000
    """Users, each with at least one event."""
    items: Positive = 1_000
    """Items of the catalogue."""
    events: Positive = 100_000
    """Rows of the event log, exactly. An exposure is one row or two."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1

    creators: Annotated[int, Field(ge=0)] = 0
    """Creators; each has at least one item. 0: one for every ten items."""
    clusters: Annotated[int, Field(ge=2, le=1_000)] = 20
    """Content categories, named `cluster_00` and so on."""
    pair_share: Probability = 0.0
    """Share of items that carry a second category. They form content clusters of
    their own (clusters are identical category sets), up to twice `clusters`."""
    creator_focus: Probability = 0.8
    """Share of a creator's items that lie in the creator's main cluster."""
    popularity_exponent: NonNegative = 0.8
    """Zipf: popularity of the item of rank r is proportional to r to the minus
    this. Above 1 a handful of items fills most of the log."""
    existing_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.7
    """Share of items created before the log starts; the others appear during it."""

    start_time_ms: Annotated[int, Field(ge=315_532_800_000)] = 1_704_067_200_000
    """First instant of the log, milliseconds UTC; default 1 January 2024."""
    span_days: Annotated[float, Field(gt=0.0, le=3_650.0)] = 90.0
    """Length of the log in days."""
    session_length: Positive = 20
    """Exposures of one session; sessions spread evenly over the span."""
    min_events: Positive = 1
    """Fewest events of a user, exactly so where an exposure is one row; 5 is what
    published logs of purchases keep."""
    activity_spread: Annotated[float, Field(ge=0.0, le=3.0)] = 0.8
    """Sigma of the log-normal number of events a user; 0: all users alike."""
    heavy_user_share: Annotated[float, Field(ge=0.0, le=0.5)] = 1e-4
    """Share of users with `heavy_user_events` events, rounded to whole users."""
    heavy_user_events: Positive = 100_000
    """Most events of a heavy user. All of them together take at most a quarter of
    the log, so that a small log is not theirs alone."""

    candidates: Annotated[int, Field(ge=2, le=256)] = 12
    """Items, drawn by popularity, among which one exposure is chosen. More make
    taste decide more and popularity less; time grows in proportion."""
    taste_spread: Annotated[float, Field(ge=0.0, le=5.0)] = 1.5
    """Standard deviation of a user's logits over clusters; 0: no taste."""
    favourite_creators: Annotated[int, Field(ge=0, le=64)] = 5
    """Creators a user prefers."""
    favourite_bonus: Annotated[float, Field(ge=0.0, le=10.0)] = 2.0
    """Logit added to the items of favourite creators."""
    drift: Probability = 0.3
    """How far tastes turn over the span; 1: the last is unrelated to the first."""

    cluster_aversion_share: Probability = 0.1
    """Chance that a user turns against a given cluster at some time of the span.
    It is independent of taste: only a dislike reveals it."""
    creator_aversion_share: Probability = 0.1
    """The same for a given creator."""
    dislike_propensity: Probability = 0.7
    """Chance that an exposure the user has turned against is disliked."""
    skip_propensity: OpenShare = 0.3
    """Chance of a skip at neutral taste; taste lowers it. A skip is no view."""
    like_propensity: OpenShare = 0.05
    """Chance that a view at neutral taste is liked; taste raises it."""

    positives_only: bool = False
    """Whether an exposure is one row, a like without a value, and nothing is disliked:
    a log of purchases or reviews."""

    avoidance: Probability = 0.9
    """Chance, at each later exposure, that whatever resembles a disliked item is
    left out. 0: a dislike has no consequence; 1: nothing alike is ever chosen."""
    resemblance: tuple[Resemblance, ...] = ("creator", "cluster")
    """What two items must share to resemble each other; any one of these is
    enough."""
    remembered_dislikes: Annotated[int, Field(ge=1, le=64)] = 8
    """Dislikes that count, the latest first; older ones are forgotten. A limit is
    needed: else a user of 100 thousand events ends with nothing left to see."""

    @model_validator(mode="after")
    def _fits_together(self) -> SynthesisSettings:
        if self.events < self.users * self.min_events:
            raise ValueError(
                f"`events` must be at least `users` times `min_events`; got "
                f"{self.events} events for {self.users} users with {self.min_events}"
            )
        if self.num_creators > self.items:
            raise ValueError(
                f"`creators` must be at most `items` (each has one); got "
                f"{self.creators} creators for {self.items} items"
            )
        if self.pair_share > 0 and self.clusters < 3:
            raise ValueError(
                "`clusters` must be at least 3 when `pair_share` is above 0 (two make "
                f"a single pair); got {self.clusters}"
            )
        if not self.resemblance and self.avoidance > 0:
            raise ValueError(
                "`resemblance` must name `creator`, `cluster` or both when "
                f"`avoidance` is above 0; got none with {self.avoidance}"
            )
        if self.span_ms < MIN_MS_PER_EVENT * (self.events + self.session_length):
            raise ValueError(
                f"`span_days` must leave {MIN_MS_PER_EVENT} ms for each event; got "
                f"{self.span_days} days for {self.events} events"
            )
        return self

    @property
    def span_ms(self) -> int:
        """Length of the log in milliseconds."""
        return int(self.span_days * DAY_MS)

    @property
    def num_creators(self) -> int:
        """Number of creators after the default of 0 is resolved."""
        return self.creators or max(1, self.items // 10)

    @property
    def num_content_clusters(self) -> int:
        """Distinct category sets: single categories, then pairs if there are any."""
        return self.clusters * (2 if self.pair_share > 0 else 1)

    @property
    def max_users_at_once(self) -> int:
        """Users whose tables over content clusters are held at the same time."""
        return max(1, MAX_TABLE_CELLS // self.num_content_clusters)
