"""Every key of the configuration: its type, unit, range, default and reason.

This module is the single source of truth for settings. It imports nothing heavy,
so that a config is checked before TensorFlow or Beam are loaded. Values come from
`pipeline/configs/*.toml` and `--set`; `pipeline.config` merges and validates them.
A component receives its sections as canonical JSON in its execution properties, so
that ML Metadata records them and the cache notices a change.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[int, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]

NegativeSignal = Literal["none", "feature", "label", "feature_and_label", "drop"]
Polarity = Literal["positive", "negative", "neutral"]
CandidateFeature = Literal["creator", "categories", "attributes", "title"]
CatalogPolicy = Literal["keep", "withdraw"]
SectionT = TypeVar("SectionT", bound="Section")


def _none_from_text(value: object) -> object:
    """TOML has no null: the word stands for it."""
    return None if value == "none" else value


class Section(BaseModel):
    """One table of the configuration: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def to_json(self) -> str:
        """Returns canonical JSON (sorted keys), the form that enters metadata."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @classmethod
    def from_json(cls: type[SectionT], text: str) -> SectionT:
        """Returns the section that `to_json` wrote."""
        return cls.model_validate_json(text)


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
    max_future_ms: Annotated[
        int | None, BeforeValidator(_none_from_text), Field(ge=0)
    ] = 86_400_000
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
    split_quantiles: tuple[Probability, Probability] = (0.8, 0.9)
    """Event-time quantiles that end the train and the eval split (global_time)."""
    split_times_ms: tuple[int, int] | None = None
    """Explicit cuts, milliseconds UTC; they replace the quantiles."""
    max_rejected_share: Probability = 0.05
    """Ingestion fails when a larger share of the rows read is rejected."""
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
    min_examples: Positive = 100
    """Sides with fewer examples are not compared: chance alone moves them."""
    request_log: str = ""
    """Path or glob of logged serving requests, a REST request body a line; empty:
    skew is not looked at."""


class EventColumns(Section):
    """Names of the source columns that hold the canonical event's fields."""

    user_id: str = "user_id"
    item_id: str = "item_id"
    timestamp: str = "timestamp"
    action: str = "action"
    """Empty: the log has no action column and `action_rules` decide."""
    value: str = "value"
    """Empty: no value. A column that the file lacks counts as no value."""
    sequence: str = "sequence"
    """Order within equal timestamps. Empty or absent: none."""


class ActionRule(Section):
    """One rule: rows whose `column` satisfies every given bound get `action`."""

    column: str
    action: str
    equals: str | float | None = None
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _has_condition(self) -> ActionRule:
        if self.equals is None and self.at_least is None and self.at_most is None:
            raise ValueError("a rule needs `equals`, `at_least` or `at_most`")
        return self


class EventMapping(Section):
    """Turns a foreign event log into canonical events."""

    columns: EventColumns = EventColumns()
    timestamp_unit: Literal["s", "ms", "us", "ns"] = "ms"
    value_divided_by: str = ""
    """Column that divides `value`, as in dwell time by duration; empty: none."""
    action_rules: tuple[ActionRule, ...] = ()
    """First match wins; only used where `columns.action` is empty."""
    default_action: str = ""
    """Action of rows that no rule matches; empty: such rows are rejected."""


class ItemColumns(Section):
    """Names of the source columns that hold the canonical item's fields."""

    item_id: str = "item_id"
    creator_id: str = "creator_id"
    categories: str = "categories"
    title: str = "title"
    created_at: str = "created_at"
    withdrawn: str = "withdrawn"
    """True or 1: never to be recommended; false, 0, empty or absent: may be."""


class ItemMapping(Section):
    """Turns a foreign catalogue into canonical items."""

    columns: ItemColumns = ItemColumns()
    created_at_unit: Literal["s", "ms", "us", "ns"] = "ms"
    list_separator: str = "|"
    missing_values: tuple[str, ...] = ()
    """Cell texts that mean "no value", such as `(no genres listed)`."""


class Mapping(Section):
    """How one foreign source becomes canonical."""

    events: EventMapping = EventMapping()
    items: ItemMapping = ItemMapping()


class ActionPolicy(Section):
    """What one action says about the item it was done to."""

    polarity: Polarity
    weight: NonNegative = 1.0
    """Weight of the label: r_i of a positive one, w_i of a negative one."""
    explicit: bool = False
    """The user stated it (dislike), rather than it being inferred (skip)."""


DEFAULT_ACTIONS = {
    "like": ActionPolicy(polarity="positive", weight=1.0),
    "view": ActionPolicy(polarity="positive", weight=0.5),
    "skip": ActionPolicy(polarity="negative", weight=0.1),
    "dislike": ActionPolicy(polarity="negative", weight=1.0, explicit=True),
}


class FeedbackSettings(Section):
    """The feedback policy: which actions are signals, of which sign and weight."""

    actions: dict[str, ActionPolicy] = DEFAULT_ACTIONS

    @model_validator(mode="after")
    def _valid_names(self) -> FeedbackSettings:
        for name in self.actions:
            if not name or "|" in name or name != name.strip():
                raise ValueError(
                    f"action names must be non-empty, without `|` or outer spaces; "
                    f"got {name!r}"
                )
        if len(self.actions) > 62:
            raise ValueError("at most 62 actions (an action set is an int64 bit mask)")
        return self

    def names(self) -> tuple[str, ...]:
        """Returns the action names in the order of their bits: sorted."""
        return tuple(sorted(self.actions))

    def negative_names(self) -> tuple[str, ...]:
        """Returns the names of the negative actions, sorted."""
        return tuple(a for a in self.names() if self.actions[a].polarity == "negative")


class HistorySettings(Section):
    """How a user's events become windows of interactions."""

    max_length: Annotated[int, Field(ge=2)] = 100
    """Most interactions in one window; also what serving reads of a history."""
    min_context: Annotated[int, Field(ge=0)] = 20
    """Context-only interactions at the head of a user's later windows."""
    merge_window_ms: Annotated[int, Field(ge=0)] = 0
    """Rows of one user and item this close become one interaction; 0: same time."""

    @model_validator(mode="after")
    def _context_fits(self) -> HistorySettings:
        if self.min_context >= self.max_length:
            raise ValueError(
                f"`min_context` must be below `max_length`; got {self.min_context} "
                f"and {self.max_length}"
            )
        return self


class ModelSettings(Section):
    """The two towers."""

    query_tower: Literal["gru", "transformer"] = "gru"
    embedding_dim: Positive = 64
    """Dimensions of query and candidate embeddings."""
    hidden_dim: Positive = 128
    """Units of the query tower's recurrent state (gru) or model width."""
    num_layers: Positive = 1
    """Layers of the query tower; transformer blocks, or stacked GRUs."""
    num_heads: Positive = 2
    """Attention heads (transformer)."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    id_dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of candidate id embeddings zeroed in training, so that an item known
    only by its features gets a usable embedding."""
    candidate_features: tuple[CandidateFeature, ...] = (
        "creator",
        "categories",
        "attributes",
        "title",
    )
    """What the candidate tower reads beside the id; docs/training.md compares them."""
    max_categories: Positive = 8
    """Categories of one item that the tower reads, and as many declared features;
    further ones are cut off."""
    title_buckets: Positive = 4_096
    """Embeddings that the words of all titles share, by hash."""
    max_title_words: Positive = 12
    """Words of one title that the tower reads; further ones are cut off."""
    tied_embeddings: bool = True
    """The query tower reads items through the candidate tower; off: through a second
    tower of its own."""
    normalize: bool = False
    """Query and candidate embeddings have the length 1, so that a score is a cosine;
    it needs a low `temperature`, about .05."""
    temperature: Annotated[float, Field(gt=0.0)] = 1.0
    """Divides the logits."""
    avoidance_decay: Probability = 0.5
    """Share of a dislike's avoidance that is left after each further interaction; of
    effect with `train.similar_set_weight`."""
    negative_signal: NegativeSignal = "feature_and_label"
    """The arm: how negative feedback enters the input and the loss."""

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> ModelSettings:
        if self.query_tower == "transformer" and self.hidden_dim % self.num_heads:
            raise ValueError(
                "`hidden_dim` must be a multiple of `num_heads`; got "
                f"{self.hidden_dim} and {self.num_heads}"
            )
        return self


class TrainSettings(Section):
    """Optimisation."""

    epochs: Positive = 10
    batch_size: Positive = 32
    """Windows a step."""
    learning_rate: Annotated[float, Field(gt=0.0)] = 2e-3
    learning_rate_schedule: Literal["constant", "cosine"] = "constant"
    """Cosine: falls to a hundredth over all epochs, after a short linear rise."""
    negative_weight: NonNegative = 1.0
    """Multiplies every negative label's weight (w of the paper)."""
    similar_set_weight: NonNegative = 5.0
    """Weight of the similar-set term, the strength of user control; 0: the paper's
    loss alone. See docs/adr/0007."""
    similar_sets: tuple[Literal["creator", "categories"], ...] = (
        "creator",
        "categories",
    )
    """What makes two items similar to the similar-set term: the same creator, the same
    category set; each alone, or neither, with `similar_neighbours` in their place."""
    similar_neighbours: Annotated[int, Field(ge=0)] = 0
    """Candidates nearest to a disliked item by the embeddings, as they are learnt, that
    count as similar to it beside its creator and its category set."""
    consumption_weight: NonNegative = 1.0
    """Weight of the consumption term: what people disliked, they chose all the same,
    and a query of its own learns which items go together from it. Arms with labels
    only; 0: the paper's loss. See docs/adr/0044."""
    filter_history: bool = True
    """What the window has met before a label leaves its softmax, as it leaves the list
    that is served; of no effect where candidates are drawn."""
    softmax: Literal["auto", "full", "sampled"] = "auto"
    """Over all candidates, or over drawn ones with corrected logits; auto: by size."""
    full_softmax_max_candidates: Positive = 50_000
    """Up to so many candidates `auto` takes the exact softmax."""
    sampled_in_batch: Annotated[int, Field(ge=0)] = 1_024
    """Negatives drawn from the batch's labels, a step."""
    sampled_uniform: Positive = 3_072
    """Negatives drawn uniformly from all candidates, a step."""
    mixed_precision: bool = False
    """Scores in training are products of bfloat16 factors, summed and used as float32:
    a sixth less time or more on processors that multiply bfloat16, slower on others."""
    validation_labels: Positive = 10_000
    """Labels of the eval split that are ranked after each epoch; fewer beyond a hundred
    thousand candidates, a thousand of a million."""
    early_stopping_epochs: Annotated[int, Field(ge=0)] = 3
    """Stop after so many epochs without a better validation loss; 0: never."""
    seed: int = 1
    """Seeds initialisation, dropout and shuffling."""
    num_workers: Positive = 1
    """Processes that train together, each on its part of every batch. TF_CONFIG names
    them; without it they are started on this machine."""
    warm_start: bool = False
    """Start with the weights of the last blessed model, where there is one; embeddings
    follow their strings. Another query tower or other widths are refused."""

    def is_sampled(self, num_candidates: int) -> bool:
        """Returns whether a catalogue of this size is trained with drawn negatives."""
        if self.softmax == "auto":
            return num_candidates > self.full_softmax_max_candidates
        return self.softmax == "sampled"


class TuningSettings(Section):
    """The search of `heed tune`; a run does not read it."""

    trials: Positive = 20
    """Trainings of `train.epochs` epochs at most each."""
    seed: int = 1
    """Chooses the trials."""
    learning_rate: tuple[float, float] = (5e-4, 1e-2)
    """Least and largest; drawn evenly on a logarithmic scale."""
    dropout: tuple[float, float] = (0.0, 0.5)
    """Least and largest."""
    batch_size: Annotated[tuple[Positive, ...], Field(min_length=1)] = (16, 32, 64)
    embedding_dim: Annotated[tuple[Positive, ...], Field(min_length=1)] = (32, 64, 128)
    hidden_dim: Annotated[tuple[Positive, ...], Field(min_length=1)] = (64, 128, 256)

    @model_validator(mode="after")
    def _ranges_are_ranges(self) -> TuningSettings:
        for name, (low, high), least, limit in (
            ("learning_rate", self.learning_rate, 1e-12, float("inf")),
            ("dropout", self.dropout, 0.0, 1.0),
        ):
            if not least <= low < high < limit:
                raise ValueError(
                    f"`{name}` must be [least, largest], at least {least} and below "
                    f"{limit}; got [{low}, {high}]"
                )
        return self


class IndexSettings(Section):
    """The ScaNN index of candidate embeddings; it tunes itself to a recall target."""

    recall_target: Probability = 0.98
    """Least share of the exact first `recall_k` that the index must find on held-out
    queries; the cheapest setting that does is taken."""
    recall_k: Positive = 100
    search: Literal["auto", "approximate", "exact"] = "auto"
    """Auto: whichever costs less by the cost model of docs/adr/0020; approximate where
    the recall target can be reached by it at all, whatever it costs."""
    min_candidates: Positive = 5_000
    """Smaller catalogues are searched exactly (auto): partitioning does not pay
    there."""
    num_leaves: Annotated[int, Field(ge=0)] = 0
    """Partitions; 0: chosen among one, two and four times the square root of the
    number of candidates."""
    tuning_queries: Positive = 1_000
    """Real histories for tuning, and as many more to measure the choice with."""
    user_control: NonNegative = 1.0
    """Multiplies what a dislike takes out of the served query beside what the labels
    teach; 1: as trained, 0: nothing. It needs no new training."""
    seed: int = 1
    """Chooses the queries."""


class EvaluationSettings(Section):
    """Relevance and dislike metrics of the served model."""

    top_k: Annotated[tuple[Positive, ...], Field(min_length=1)] = (10, 20, 100)
    """Cut-offs K of the metrics."""
    bootstrap_samples: Positive = 1_000
    """Resamples of users behind each interval."""
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95
    batch_size: Positive = 256
    """Requests sent to the model at once."""
    max_targets: Annotated[int, Field(ge=0)] = 200_000
    """Held-out interactions that are evaluated, drawn with `seed`; 0: all."""
    horizon_ms: Positive = 604_800_000
    """What follows a request for so long counts for the horizon metrics; a week."""
    category_slices: Annotated[int, Field(ge=0)] = 10
    """Slices of the categories with most targets."""
    baseline_windows: Annotated[int, Field(ge=0)] = 200_000
    """Training windows that the baselines most recent and item-to-item read; 0: all."""
    seed: int = 1


class ResponsivenessSettings(Section):
    """The counterfactual simulation of the paper."""

    simulations: Positive = 2_000
    trajectory_length: Annotated[int, Field(ge=2)] = 50
    """k: the branch happens at the k-th interaction of the trajectory."""
    slate_size: Positive = 10
    """Recommendations that are shown at each step, and compared after it."""
    trajectory_actions: dict[str, NonNegative] = {"view": 0.7, "like": 0.3}
    """Relative frequency of the actions of the random behaviour trajectory."""
    control_action: str = "view"
    control_value: Annotated[float | None, BeforeValidator(_none_from_text)] = 1.0
    """Value (dwell fraction) of the simulated interactions; `"none"` where the log has
    no values, so that the model is not shown what it never saw."""
    treatment_actions: tuple[str, ...] = ("dislike", "skip", "like")
    """Each is measured: the control interaction plus this action. The first one that
    is explicit and negative is looked at from every other side as well."""
    step_ms: Positive = 60_000
    """Simulated time between two interactions."""
    start_share: Probability = 0.5
    """Share of a sampled user's real history that starts the simulation."""
    cooccurrence_clusters: Annotated[int, Field(ge=2)] = 50
    """Clusters of the co-occurrence space, which no loss sees."""
    neighbours: Positive = 100
    """Items of that space, nearest first, that count as neighbours of item k."""
    probe_simulations: Annotated[int, Field(ge=0)] = 500
    """Simulations, the first ones, on which dose, decay, dislikes in a row and
    dislikes taken back are measured; 0: none. They cost as much as half as many
    more steps."""
    doses: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1, 2, 3, 5)
    """Dislikes of items of one cluster, the latest ones, in the dose-response curve."""
    decay_steps: Annotated[int, Field(ge=0)] = 10
    """Steps after item k over which the answer is followed; 0: not followed."""
    favourite_clusters: Positive = 3
    """Clusters of each user's real likes that collateral damage is looked for in."""
    slice_clusters: Annotated[int, Field(ge=0)] = 8
    """Clusters of item k, the most frequent ones, that get a slice each."""
    min_users: Annotated[int, Field(ge=2)] = 20
    """Fewer distinct users give no figure: their interval would be too narrow."""
    bootstrap_samples: Positive = 1_000
    """Resamples of users behind each interval."""
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95
    batch_size: Positive = 500
    """Simulations advanced together."""
    use_beam: bool = False
    """Batches are simulated on the pipeline's Beam runner, for audits that one
    machine is too slow for; the figures are the same."""
    seed: Annotated[int, Field(ge=0)] = 1

    @model_validator(mode="after")
    def _takes_actions(self) -> ResponsivenessSettings:
        if not sum(self.trajectory_actions.values()):
            raise ValueError(
                "`trajectory_actions` needs an action with a frequency above 0; got "
                f"{self.trajectory_actions}"
            )
        return self


class ServingCheckSettings(Section):
    """The fresh-process canary before the gate."""

    num_requests: Positive = 50
    """Real histories that are replayed one by one."""
    max_latency_p99_ms: Annotated[float, Field(gt=0.0)] = 250.0
    score_tolerance: NonNegative = 1e-3
    """Largest score difference between the index and an exact twin."""
    timeout_sec: Positive = 300


class GateSettings(Section):
    """The promotion policy. A changed default needs a decision record."""

    min_recall_at_10: Probability = 0.02
    min_index_recall: Probability = 0.95
    """Least `index_recall@K` at the smallest K of `evaluation.top_k`."""
    baselines: tuple[str, ...] = ("popularity",)
    """Baselines of the evaluation that the model must beat."""
    min_lift_over_popularity: float = 0.0
    """The recall@10 gain over each of them, absolute, must lie above it."""
    max_dislike_excess: Annotated[
        NonNegative | None, BeforeValidator(_none_from_text)
    ] = 1.0
    """How far held-out dislikes may rank above held-out likes, as a share of ndcg@10:
    the upper end of the interval of `delta_ndcg@10` must reach minus so much. Some
    logs show people what they come to dislike, so 0 would be too strict. `"none"`: a
    log without held-out dislikes."""
    max_negative_recall_rise: Probability = 0.02
    """Largest absolute rise of negative_recall@10 against the last blessed model that
    the paired interval may not exclude."""
    max_recall_drop: Probability = 0.1
    """Largest relative drop of recall@10 against the last blessed model that the
    paired interval may not exclude."""
    max_content_responsiveness: float = -0.05
    """The upper end of each required content (and co-occurrence) interval must lie
    at or below it. Responsiveness is negative where the model heeds."""
    max_creator_responsiveness: float = -0.05
    similarities: tuple[str, ...] | None = None
    """`SIMILARITY.ACTION` that must respond; absent: content and creator with each
    explicit negative treatment, where the catalogue supports them, else
    co-occurrence."""
    max_collateral_damage: Annotated[
        Probability | None, BeforeValidator(_none_from_text)
    ] = 0.4
    """Largest fall, relative, of recommendations from other clusters that the user
    likes; the interval's lower end counts. `"none"`: not looked at."""
    require_serving_check: bool = True


class BeamSettings(Section):
    """Arguments of the Beam runner."""

    args: tuple[str, ...] = ("--runner=FnApiRunner",)


class PipelineSettings(Section):
    """The pipeline as orchestrators see it."""

    name: str = "heed"
    enable_cache: bool = True
    image: str = "heed:0.1.0"
    """Container image in which Kubeflow runs the steps."""


class HeedConfig(Section):
    """The whole configuration."""

    pipeline: PipelineSettings = PipelineSettings()
    data: DataSettings = DataSettings()
    checks: ChecksSettings = ChecksSettings()
    mappings: dict[str, Mapping] = {}
    feedback: FeedbackSettings = FeedbackSettings()
    history: HistorySettings = HistorySettings()
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()
    tuning: TuningSettings = TuningSettings()
    index: IndexSettings = IndexSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    responsiveness: ResponsivenessSettings = ResponsivenessSettings()
    serving_check: ServingCheckSettings = ServingCheckSettings()
    gate: GateSettings = GateSettings()
    beam: BeamSettings = BeamSettings()

    @model_validator(mode="after")
    def _names_exist(self) -> HeedConfig:
        if self.data.source != "canonical" and self.data.source not in self.mappings:
            known = ", ".join(["canonical", *sorted(self.mappings)])
            raise ValueError(
                f"`data.source` must be one of {known}; got {self.data.source!r}"
            )
        policy = self.feedback.actions
        simulated = {
            self.responsiveness.control_action: "responsiveness.control_action",
            **{
                a: "responsiveness.trajectory_actions"
                for a in self.responsiveness.trajectory_actions
            },
        }
        for action, key in simulated.items():
            if action not in policy:
                raise ValueError(
                    f"`{key}` names {action!r}, which `feedback.actions` does not "
                    f"define; it defines {', '.join(self.feedback.names())}"
                )
        control = policy[self.responsiveness.control_action]
        if control.polarity == "negative":
            raise ValueError(
                "`responsiveness.control_action` must not be a negative action; "
                f"got {self.responsiveness.control_action!r}"
            )
        return self

    def mapping(self) -> Mapping:
        """Returns the mapping that `data.source` names; canonical is the identity."""
        if self.data.source == "canonical":
            return Mapping()
        return self.mappings[self.data.source]
