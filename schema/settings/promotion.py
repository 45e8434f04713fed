"""What is built from trained towers, measured on it, and required of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schema.settings.base import (
    OR_NONE,
    Finite,
    NonNegative,
    Positive,
    Probability,
    Section,
)


class IndexSettings(Section):
    """The ScaNN index of candidate embeddings; it tunes itself to a recall target."""

    recall_target: Probability = 0.98
    """Least share of the exact first `recall_k` that the index must find on held-out
    queries; the cheapest setting that does is taken."""
    recall_k: Positive = 100
    """Candidates that the recall target is about."""
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
    user_control: Annotated[float, Field(ge=0.0, le=2.0)] = 1.0
    """How far the model answers dislikes where a request does not say: 0: as people in
    the log go on, 1: dislikes are no input and what resembles them falls, 2: it falls
    twice as far. It needs no new training."""
    seed: int = 1
    """Chooses the queries."""


class EvaluationSettings(Section):
    """Relevance and dislike metrics of the served model."""

    top_k: Annotated[tuple[Positive, ...], Field(min_length=1)] = (10, 20, 100)
    """Cut-offs K of the metrics."""
    bootstrap_samples: Positive = 1_000
    """Resamples of users behind each interval."""
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95
    """Of the intervals."""
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
    """Draws the targets and the resamples."""
    hash_user_ids: bool = False
    """Whether `predictions.parquet` holds a hash of each user id instead of the id."""


class ResponsivenessSettings(Section):
    """The counterfactual simulation of the paper."""

    simulations: Positive = 2_000
    """Simulated users; where the log has fewer, its users start again."""
    trajectory_length: Annotated[int, Field(ge=2)] = 50
    """k: the branch happens at the k-th interaction of the trajectory."""
    slate_size: Positive = 10
    """Recommendations that are shown at each step, and compared after it."""
    trajectory_actions: dict[str, NonNegative] = {"view": 0.7, "like": 0.3}
    """Relative frequency of the actions of the random behaviour trajectory."""
    control_action: str = "view"
    """What the control does to item k; must not be negative."""
    control_value: Annotated[float | None, OR_NONE] = 1.0
    """Value (dwell fraction) of the simulated interactions; `"none"` where the log has
    no values, so that the model is not shown what it never saw."""
    treatment_actions: tuple[str, ...] = ("dislike", "skip", "like")
    """Each is measured: the control interaction plus this action. The first one that
    is explicit and negative is looked at from every other side as well."""
    step_ms: Positive = 60_000
    """Simulated time between two interactions."""
    short_history: Annotated[int, Field(ge=2)] = 10
    """Most elements of the short histories, the first ones of real histories, that the
    same is measured on."""
    start_share: Probability = 0.5
    """Share of a sampled user's real history that starts the simulation."""
    cooccurrence_clusters: Annotated[int, Field(ge=2)] = 50
    """Clusters of the co-occurrence space, which no loss sees."""
    neighbours: Positive = 100
    """Items of that space, nearest first, that count as neighbours of item k."""
    probe_simulations: Annotated[int, Field(ge=0)] = 500
    """Simulations, the first ones, on which dose, decay, concentration, dislikes in a
    row and dislikes taken back are measured; 0: none. They cost as much as half as
    many more steps."""
    doses: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1, 2, 3, 5)
    """Dislikes of items of one cluster, the latest ones, in the dose-response curve."""
    decay_steps: Annotated[int, Field(ge=0)] = 10
    """Steps after item k over which the answer is followed; 0: not followed."""
    favourite_clusters: Positive = 3
    """Clusters of each user's real likes that collateral damage is looked for in."""
    slice_clusters: Annotated[int, Field(ge=0)] = 8
    """Clusters of item k, the most frequent ones, that get a slice each."""
    judge_share: Annotated[float, Field(ge=0.0, le=0.5)] = 0.25
    """Share of the users, by a hash of their id, whose events nothing learns from:
    their audience judges what the model answers. 0: none, and no such figure."""
    judge_neighbours: Positive = 20
    """Items nearest to item k by the judge's audience that count as its nearest."""
    persistence_events: tuple[Positive, ...] = (1, 5, 10, 20)
    """Further events after which it is measured what is left of the answer."""
    persistence_gaps_ms: tuple[Positive, ...] = (86_400_000, 604_800_000)
    """Time to one further event after which the same is measured: a day and a week."""
    undoing_likes: Positive = 5
    """Likes of the same kind, after item k, that should undo a dislike."""
    min_users: Annotated[int, Field(ge=2)] = 20
    """Fewer distinct users give no figure: their interval would be too narrow."""
    bootstrap_samples: Positive = 1_000
    """Resamples of users behind each interval."""
    confidence: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95
    """Of the intervals."""
    batch_size: Positive = 500
    """Simulations advanced together."""
    use_beam: bool = False
    """Batches are simulated on the pipeline's Beam runner, for audits that one
    machine is too slow for; the figures are the same."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Chooses users, actions and resamples."""

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
    """Of one request at a time, in the fresh process."""
    score_tolerance: NonNegative = 1e-3
    """Largest score difference between the index and an exact twin."""
    timeout_sec: Positive = 300
    """For loading and all requests."""


class GateSettings(Section):
    """The promotion policy. A changed default needs a decision record."""

    min_recall_at_10: Probability = 0.02
    """Least recall@10 of held-out liked items."""
    min_index_recall: Probability = 0.95
    """Least `index_recall@K` at the smallest K of `evaluation.top_k`."""
    baselines: tuple[str, ...] = ("popularity",)
    """Baselines of the evaluation that the model must beat."""
    min_lift_over_popularity: Finite = 0.0
    """The recall@10 gain over each of them, absolute, must lie above it."""
    max_dislike_excess: Annotated[NonNegative | None, OR_NONE] = 1.0
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
    judge: Literal["auto", "required", "none"] = "auto"
    """Whether `audience_nearest`, made of users of whom nothing is learnt, must
    respond. Auto: unless the log is too thin for it, or `responsiveness.judge_share`
    is 0."""
    similarities: tuple[str, ...] | None = None
    """`SIMILARITY.ACTION` that must respond; absent: the judge and, where the catalogue
    supports them, category_overlap and creator with each explicit negative treatment,
    else co-occurrence. Empty: none, on purpose."""
    max_content_responsiveness: Finite = -0.05
    """The upper end of each required interval must lie at or below it, beside the slate
    before the dislike and beside the control: what falls must fall because of the
    dislike. Responsiveness is negative where the model heeds."""
    max_creator_responsiveness: Finite = -0.05
    """The same by creator."""
    max_lasting_responsiveness: Finite = -0.02
    """The same beside before in further situations: some events later, at the end of
    real histories, and of short ones. One of the required similarities is enough; at
    the judge none may clearly rise. It asks no more than of the next slate."""
    lasting_events: Annotated[Positive | None, OR_NONE] = 5
    """Further events after which an answer must be left; one of
    `responsiveness.persistence_events`. `"none"`: it may be forgotten."""
    lasting_gap_ms: Annotated[Positive | None, OR_NONE] = 86_400_000
    """Time to one further event after which the same must be left; one of
    `responsiveness.persistence_gaps_ms`. `"none"`, or no `lasting_events`: it may be
    forgotten."""
    max_later_rise: Annotated[NonNegative | None, OR_NONE] = 0.05
    """By how much more than before what resembles the disliked item may be shown after
    any of the further events and gaps that were measured: the interval's lower end. An
    answer may fade; it may not turn. `"none"`: not looked at."""
    min_kept: Probability = 0.3
    """Least share of the slate before that a dislike leaves."""
    max_collateral_damage: Annotated[Probability | None, OR_NONE] = 0.4
    """Largest fall, relative, of recommendations from other clusters that the user
    likes; the interval's lower end counts. `"none"`: not looked at."""
    max_collateral_gain: Annotated[NonNegative | None, OR_NONE] = 2.0
    """Largest rise, relative, of the same: a slate that collapses to what a user likes
    most is no answer. The interval's lower end counts. `"none"`: not looked at."""
    max_concentration_rise: Annotated[NonNegative | None, OR_NONE] = 0.05
    """By how much more often two items that dislikes bring into a slate may share a
    category set, or a creator, than two of the slate without any dislike, absolute: the
    interval's lower end. A collapse to one favourite shows here however much of it
    there was. `"none"`: not looked at."""
    min_specificity: Annotated[Finite | None, OR_NONE] = 0.05
    """By how much more of what shares categories (else the creator) with the disliked
    item must leave the slate than of the rest: the interval's lower end. `"none"`: not
    looked at, as where the catalogue has neither."""
    max_unheard: Annotated[Probability | None, OR_NONE] = 0.33
    """Largest share of simulations in which a dislike takes nothing away although the
    slate held something that shares categories (else the creator) with the item: a
    mean hides whom nobody hears. `"none"`: not looked at."""
    max_slice_responsiveness: Annotated[Finite | None, OR_NONE] = -0.02
    """The same beside the control, slice by slice: the lower end of the interval of
    each slice of at least `min_users` simulations must lie at or below it, or that
    slice is clearly without an answer. `"none"`: not looked at."""
    min_simulations: Positive = 50
    """Fewer simulations prove nothing."""
    min_users: Positive = 20
    """Fewer distinct users do neither."""
    min_confidence: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.8
    """Least `confidence` of evaluation and responsiveness: an interval that hardly ever
    holds the truth promises nothing."""
    min_bootstrap_samples: Positive = 100
    """Least `bootstrap_samples` of both: the ends of fewer are chance."""
    min_requests: Positive = 1
    """Least requests that the serving check must have served."""
    require_serving_check: bool = True
    """Off: a model may be pushed that no fresh process has served."""

    def limit(self, similarity: str) -> float:
        """Returns what the upper end of the interval of an effect may be at most."""
        if similarity == "creator":
            return self.max_creator_responsiveness
        return self.max_content_responsiveness
