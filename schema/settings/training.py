"""The towers and their optimisation."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from schema.settings.base import NonNegative, Positive, Probability, Section

HalfLife = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NegativeSignal = Literal["none", "feature", "label", "feature_and_label", "drop"]
CandidateFeature = Literal["creator", "categories", "attributes", "title"]


class ModelSettings(Section):
    """The two towers."""

    query_tower: Literal["gru", "transformer"] = "gru"
    """How a history becomes a query."""
    embedding_dim: Positive = 64
    """Dimensions of query and candidate embeddings."""
    hidden_dim: Positive = 128
    """Units of the query tower's recurrent state (gru) or model width."""
    num_layers: Positive = 1
    """Layers of the query tower; transformer blocks, or stacked GRUs."""
    num_heads: Positive = 2
    """Attention heads (transformer)."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """Share of the query tower's units that a training step leaves out."""
    id_dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of candidate id embeddings zeroed in training, so that an item known
    only by its features gets a usable embedding."""
    candidate_features: tuple[CandidateFeature, ...] = (
        "creator",
        "categories",
        "attributes",
        "title",
    )
    """What the candidate tower reads beside the id; docs/adr/0056 compares."""
    max_categories: Positive = 8
    """Categories of one item that the tower reads, and as many declared features;
    further ones are cut off."""
    title_buckets: Positive = 4_096
    """Embeddings that the words of all titles share, by hash."""
    max_title_words: Positive = 12
    """Words of one title that the tower reads; further ones are cut off."""
    temperature: Annotated[float, Field(gt=0.0)] = 1.0
    """Divides the logits."""
    avoidance_strength: NonNegative = 2.5
    """How much a fresh dislike lowers the scores of what resembles the item most, as
    logits; 0: no avoidance path, and the query tower reads dislikes in serving too. Arm
    feature_and_label only, as all that follows; see docs/adr/0048."""
    avoidance_half_life_events: HalfLife = 6.0
    """Further interactions after which half of a dislike's avoidance is left, and the
    query tower reads the dislike; after twice as many a sixteenth is left."""
    avoidance_half_life_days: HalfLife = 30.0
    """Days after which half of it is left, interactions or not."""
    avoidance_older_share: Probability = 0.25
    """What an older dislike keeps beside one fresh newer one, and again beside each
    further one."""
    avoidance_code_dim: Positive = 48
    """Dimensions of query and candidate that only avoidance uses, beside
    `embedding_dim`; creators have 32 further ones."""
    avoidance_audience_weight: NonNegative = 0.4
    """Of the similarity, by who met the items; the four are divided by their sum over
    what is known of an item."""
    avoidance_embedding_weight: NonNegative = 0.4
    """Of the similarity, by the candidate tower."""
    avoidance_category_weight: NonNegative = 0.2
    """Of the similarity, by IDF-weighted categories."""
    avoidance_creator_weight: NonNegative = 0.3
    """Of the similarity, by the same creator."""
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
    """Passes over the training windows, at most."""
    batch_size: Positive = 32
    """Windows a step. Of short ones there are more: twice as many where they hold at
    most a quarter of `history.max_length`, four times at most an eighth, and so on."""
    learning_rate: Annotated[float, Field(gt=0.0)] = 2e-3
    """Of Adam; the largest one where a schedule lowers it."""
    learning_rate_schedule: Literal["constant", "cosine"] = "constant"
    """Cosine: falls to a hundredth over all epochs, after a short linear rise."""
    negative_weight: NonNegative = 1.0
    """Multiplies every negative label's weight (w of the paper)."""
    dislike_dropout: Probability = 0.5
    """Share of the disliked elements that a training step hides from the query tower's
    input, as serving hides those that are answered; labels stay. Arm
    feature_and_label only."""
    consumption_weight: NonNegative = 1.0
    """Weight of the consumption term: what people disliked, they chose all the same,
    and a query of its own learns which items go together from it. Arms with labels
    only; 0: the paper's loss. See docs/adr/0044."""
    filter_history: bool = True
    """What the window has met before a label leaves its softmax, as it leaves the list
    that is served, and is no label when it is met again. Where candidates are drawn it
    stays among them."""
    softmax: Literal["auto", "full", "sampled"] = "auto"
    """Over all candidates, or over drawn ones with corrected logits; auto: by size."""
    full_softmax_max_candidates: Positive = 50_000
    """Up to so many candidates `auto` takes the exact softmax."""
    sampled_in_batch: Annotated[int, Field(ge=0)] = 1_024
    """Negatives drawn from the batch's labels, a step."""
    sampled_uniform: Positive = 3_072
    """Negatives drawn uniformly from all candidates, a step."""
    mixed_precision: bool = False
    """In training, scores and the large products of the GRU have bfloat16 factors; they
    are used as float32: a sixth less time or more. What is served, and processors
    without such products, stay with float32."""
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
    """Values to choose among."""
    embedding_dim: Annotated[tuple[Positive, ...], Field(min_length=1)] = (32, 64, 128)
    """Values to choose among."""
    hidden_dim: Annotated[tuple[Positive, ...], Field(min_length=1)] = (64, 128, 256)
    """Values to choose among."""

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
