"""What is read, and what it is held against before anything is learnt from it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schema.settings.base import OR_NONE, Positive, Probability, Section

CatalogPolicy = Literal["keep", "withdraw"]


class ItemFeature(Section):
    """A further feature of items that the candidate tower reads."""

    column: str = ""
    """Source column; empty: the feature's own name. A list counts value by value."""
    edges: tuple[float, ...] = ()
    """Ascending. Cuts a number into classes: below the first edge, from each edge on.
    Empty: the values are classes themselves."""

    @model_validator(mode="after")
    def _edges_ascend(self) -> ItemFeature:
        pairs = zip(self.edges, self.edges[1:], strict=False)
        if any(not low < high for low, high in pairs):
            raise ValueError(f"`edges` must ascend; got {list(self.edges)}")
        return self


class DataSettings(Section):
    """Where the event log and the catalogue lie, and how they are cut."""

    events: str = ""
    """Path, glob or `{SPAN}` pattern of the event log (Parquet, CSV, JSON Lines)."""
    window_spans: Positive = 1
    """Newest spans of a `{SPAN}` (or date) pattern of the event log that are read
    together; of the catalogue the newest one is read."""
    lookback_window_days: Annotated[float, Field(gt=0.0)] | None = None
    """Events older than this before the log's newest one are rejected as late;
    absent: all stay, put in their place by their own time, whenever they came."""
    max_future_ms: Annotated[Annotated[int, Field(ge=0)] | None, OR_NONE] = 86_400_000
    """Events later than this after the moment of ingestion are rejected: a clock is
    wrong. Default one day; `"none"`: they stay."""
    items: str = ""
    """The same for the item catalogue; empty: the items of the log, no features."""
    item_features: dict[str, ItemFeature] = {}
    """Further columns of the catalogue that the candidate tower reads, by name."""
    source: str = "canonical"
    """`canonical`, or the name of a table under `mappings`."""
    items_not_in_log: CatalogPolicy = "keep"
    """Catalogue items without an event: kept as candidates (known by their features),
    or withdrawn: never recommended."""
    items_not_in_catalog: CatalogPolicy = "keep"
    """Items of the log that the catalogue lacks: kept as candidates (without features),
    or withdrawn."""
    max_share_not_in_catalog: Probability = 1.0
    """Ingestion of the catalogue fails when it lacks a larger share of the log's
    items: the two are of different worlds, or times."""
    split: Literal["global_time", "leave_last_out"] = "global_time"
    """Cut by time for all users, or by each user's last interactions."""
    held_out_interactions: Positive = 1
    """leave_last_out: a user's last ones that are test, and as many before them that
    are eval; at most a third of a history each. More of them narrow the intervals of a
    small log."""
    split_quantiles: tuple[Probability, Probability] = (0.8, 0.9)
    """Event-time quantiles that end the train and the eval split (global_time)."""
    split_times_ms: tuple[int, int] | None = None
    """Explicit cuts, milliseconds UTC; they replace the quantiles."""
    max_rejected_share: Probability = 0.05
    """Ingestion fails when a larger share of the rows read is rejected."""
    max_line_bytes: Positive = 16_777_216
    """A longer line of CSV or JSON Lines is rejected: a file without line ends must
    not fill the memory."""
    max_gzip_ratio: Positive = 500
    """A gzip file is given up where more than so many bytes come out of one of its
    own: logs shrink by tens, a bomb by a thousand."""
    min_timestamp_ms: int = 315_532_800_000
    """Events before it are rejected; default 1980, which catches seconds as ms."""
    max_timestamp_ms: int = 4_102_444_800_000
    """Events at or after it are rejected; default the year 2100."""
    max_events_per_user_per_day: Annotated[int, Field(ge=0)] = 0
    """Events beyond it are rejected as a robot's, the first in order stay; 0: all
    stay. Days are UTC."""
    example_shards: Positive = 4
    """Number of TFRecord files per split."""
    user_buckets: Annotated[int, Field(gt=0, le=65_536)] = 64
    """Groups of users that ingestion works on at once, rounded up to a multiple of
    `example_shards`. More: less memory for one group, more overhead."""
    spill: bool = True
    """What passes between the steps of ingestion goes through files beside the
    examples instead of the runner's memory, so that memory does not grow with the log.
    Off: for clusters whose shuffle is faster than their file system."""

    @model_validator(mode="after")
    def _features_are_of_a_catalogue(self) -> DataSettings:
        if self.item_features and not self.items:
            raise ValueError(
                "`item_features` are columns of the item catalogue: name it in `items`"
            )
        return self

    @model_validator(mode="after")
    def _held_out_interactions_are_of_leave_last_out(self) -> DataSettings:
        if self.held_out_interactions > 1 and self.split != "leave_last_out":
            raise ValueError(
                f"`held_out_interactions = {self.held_out_interactions}` counts a "
                f'user\'s last ones, but `split = "{self.split}"` cuts by time: set '
                '`split = "leave_last_out"`, or leave it out'
            )
        return self


class ChecksSettings(Section):
    """What new data are held against before anything is learnt from them.

    Distances are Jensen-Shannon divergences: 0 equal, 1 nothing in common. Two halves
    of one log differ by less than .001 in an action, and by up to .2 in items where
    thousands share a few hundred windows.
    """

    max_event_drift: dict[str, Probability] = {
        "action": 0.05,
        "item_id": 0.5,
        "value": 0.1,
        "value_present": 0.05,
    }
    """Largest distance of a feature of the event examples from the last span that
    passed, split by split. Features without an entry are not compared."""
    max_catalog_drift: dict[str, Probability] = {"creator_id": 0.5, "categories": 0.2}
    """The same for the catalogue."""
    max_skew: dict[str, Probability] = {
        "action": 0.1,
        "item_id": 0.6,
        "value": 0.2,
        "value_present": 0.1,
    }
    """Largest distance of a feature of the training split from the logged requests."""
    max_statistics_examples: Positive = 50_000
    """Statistics are of so many examples of a split, drawn in equal steps over it; of
    all where there are no more. `anomalies.json` tells the share."""
    min_examples: Positive = 100
    """Sides with fewer examples are not compared: chance alone moves them."""
    max_lost_items_share: Probability = 0.1
    """`heed refresh-index` fails when the newer catalogue lacks or withdraws a larger
    share of the items that the model was trained with: it was cut short."""
    request_log: str = ""
    """Path or glob of logged serving requests, a REST request body a line; empty:
    skew is not looked at."""
