"""What the Beam path of the event log needs to know, in one picklable object."""

from __future__ import annotations

import dataclasses

from components.ingestion import locations, shuffle, text_blocks
from schema import settings


@dataclasses.dataclass(frozen=True)
class IngestionPlan:
    """Everything that decides the examples of a log."""

    files: tuple[locations.SourceFile, ...]
    """The log's files."""
    data: settings.DataSettings
    """Ranges, splits, shares."""
    mapping: settings.EventMapping
    """From raw columns to canonical events."""
    feedback: settings.FeedbackSettings
    """The policy of actions."""
    history: settings.HistorySettings
    """Merging and windows."""
    examples_dir: dict[str, str]
    """Folder of each split's TFRecord files; the judge's where there are any."""
    report_dir: str
    """Folder of `ingestion.json` and the dead letters."""
    block_bytes: int = text_blocks.BLOCK_BYTES
    """About how much text is parsed at once."""
    spans: tuple[int, ...] = ()
    """Numbers of the spans that the files are of; none without a pattern."""
    judge_share: float = 0.0
    """Share of the users who judge, see `components.audience`; what they did before
    the test split is a split of its own."""
    now_ms: int | None = None
    """The moment of ingestion, for `data.max_future_ms`; None: no limit."""
    spill_dir: str = ""
    """Folder for what passes between steps; "": memory."""

    @property
    def num_buckets(self) -> int:
        """Number of buckets of users: a multiple of the number of shards.

        The bucket of a user then decides its shard too.
        """
        shards = self.data.example_shards
        return shards * -(-self.data.user_buckets // shards)

    @property
    def spill(self) -> shuffle.Spill:
        """Where what passes between steps is kept."""
        return shuffle.Spill(self.spill_dir)

    @property
    def drops_good_events(self) -> bool:
        """Whether a policy may drop events once their raw rows are gone."""
        data = self.data
        return bool(data.max_events_per_user_per_day or data.lookback_window_days)

    @property
    def needs_quantiles(self) -> bool:
        """Whether the time cuts have to be found in the data."""
        return self.data.split == "global_time" and self.data.split_times_ms is None

    @property
    def paths(self) -> list[str]:
        """Paths of the files, by their index."""
        return [file.path for file in self.files]
