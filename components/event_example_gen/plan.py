"""What the Beam path of the event log needs to know, in one picklable object."""

from __future__ import annotations

import dataclasses

from components.ingestion import locations, shuffle, text_blocks
from schema import settings


@dataclasses.dataclass(frozen=True)
class IngestionPlan:
    """Everything that decides the examples of a log.

    Attributes:
      files: the log's files.
      data: ranges, splits, shares.
      mapping: from raw columns to canonical events.
      feedback: the policy of actions.
      history: merging and windows.
      examples_dir: folder of each split's TFRecord files.
      report_dir: folder of `ingestion.json` and the dead letters.
      block_bytes: about how much text is parsed at once.
      spans: numbers of the spans that the files are of; none without a pattern.
      now_ms: the moment of ingestion, for `data.max_future_ms`; None: no limit.
      spill_dir: folder for what passes between steps; "": memory.
    """

    files: tuple[locations.SourceFile, ...]
    data: settings.DataSettings
    mapping: settings.EventMapping
    feedback: settings.FeedbackSettings
    history: settings.HistorySettings
    examples_dir: dict[str, str]
    report_dir: str
    block_bytes: int = text_blocks.BLOCK_BYTES
    spans: tuple[int, ...] = ()
    now_ms: int | None = None
    spill_dir: str = ""

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
