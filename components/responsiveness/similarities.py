"""The similarities that responsiveness is measured by, each with its stated method.

`content`, `creator` and `category_overlap` come from the catalogue, `cooccurrence` and
`neighbours` from the training log, `audience` and `audience_nearest` from the users of
whom nothing is learnt. Where the catalogue has no categories, `content` takes the
co-occurrence clusters, which is how clusters of items without categories are commonly
made; its method says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from components import audience
from components.responsiveness import category_overlap, clusters
from components.responsiveness.similarity import (
    ClusterSimilarity,
    GradedSimilarity,
    NeighbourSimilarity,
    Similarity,
)
from schema import reports, settings
from serving.bundle import catalog

_TOO_FEW = "too few users or items to cluster what is met together"


def of_catalog(
    items: Mapping[bytes, catalog.Item],
    pairs: Sequence[tuple[bytes, bytes]],
    policy: settings.ResponsivenessSettings,
) -> tuple[Similarity, ...]:
    """Returns the similarities of a catalogue and a training log.

    Args:
      items: of the catalogue.
      pairs: (user_id, item_id) of the training split.
      policy: the section.
    """
    space = clusters.cooccurrence_space(pairs, policy.seed)
    together = ClusterSimilarity(
        "cooccurrence",
        "k-means of the co-occurrence space of the training split (singular value "
        f"decomposition), seed {policy.seed}",
        "log",
        clusters.space_clusters(space, policy.cooccurrence_clusters, policy.seed),
        _TOO_FEW,
    )
    creators = {item: entry.creator_id for item, entry in items.items()}
    is_space_small = space is None or len(space.item_id) <= policy.neighbours
    return (
        _content(items, together),
        ClusterSimilarity(
            "creator",
            "equal creators of the catalogue",
            "catalogue",
            clusters.of_equal(creators),
            "no two items of the catalogue have the same creator",
        ),
        together,
        NeighbourSimilarity(
            "neighbours",
            f"the {policy.neighbours} nearest items by cosine in the co-occurrence "
            "space of the training split",
            "log",
            space,
            f"fewer than `responsiveness.neighbours` = {policy.neighbours} further "
            "items were met in training"
            if is_space_small
            else None,
            policy.neighbours,
        ),
        _category_overlap(items),
    )


def _content(
    items: Mapping[bytes, catalog.Item], together: ClusterSimilarity
) -> ClusterSimilarity:
    sets = {item: tuple(sorted({*entry.categories})) for item, entry in items.items()}
    content = clusters.of_equal(sets)
    if not content:
        return dataclasses.replace(
            together,
            name="content",
            method=f"no categories in the catalogue: {together.method}",
            missing=f"no item of the catalogue has categories: {_TOO_FEW}",
        )
    return ClusterSimilarity(
        "content",
        "identical category sets of the catalogue",
        "catalogue",
        content,
        "no two items of the catalogue have the same categories",
    )


def _category_overlap(items: Mapping[bytes, catalog.Item]) -> GradedSimilarity:
    overlap = category_overlap.of(
        {item: entry.categories for item, entry in items.items()}
    )
    return GradedSimilarity(
        "category_overlap",
        "weights of the categories of both divided by those of either, a category's "
        "weight the logarithm of 1 + items / items that have it",
        "catalogue",
        overlap,
        None
        if overlap.compares_anything
        else "no two items of the catalogue have a category in common",
    )


@dataclasses.dataclass(frozen=True)
class Judge:
    """The audience of the users of whom nothing is learnt."""

    users: audience.Audience
    reliability: audience.Reliability
    missing: str | None
    """Why it cannot judge."""
    log_is_too_thin: bool
    """Whether that is because of too few users, or items that they met."""

    def similarities(self, neighbours: int) -> tuple[Similarity, ...]:
        """Returns `audience` and `audience_nearest`.

        Args:
          neighbours: items that are nearest to one.
        """
        of_users = f"the {self.users.num_users:,} users of whom nothing is learnt"
        return (
            GradedSimilarity(
                "audience",
                f"cosine of who met what, shrunk for rare items, of {of_users}",
                "judge",
                self.users,
                self.missing,
            ),
            NeighbourSimilarity(
                "audience_nearest",
                f"the {neighbours} nearest items by `audience`",
                "judge",
                self.users,
                self.missing,
                neighbours,
            ),
        )

    def described(self, similarity: Similarity) -> reports.Similarity:
        """Returns what a reader is told of one of its similarities."""
        found = {
            "users": self.users.num_users,
            "reliability": self.reliability.value,
            "reliability_reason": self.reliability.reason,
            "log_is_too_thin": self.log_is_too_thin,
        }
        return similarity.described().model_copy(update=found)


def judge(
    pairs: Sequence[tuple[bytes, bytes]],
    policy: settings.ResponsivenessSettings,
    has_split: bool = True,
) -> Judge:
    """Returns the judge of some users; a thin one tells why it cannot judge.

    Args:
      pairs: (user_id, item_id) of the judge's split.
      policy: the section.
      has_split: whether the examples have such a split at all.
    """
    found = audience.of(pairs)
    reliability = audience.reliability(found)
    missing = thin = None
    if not policy.judge_share:
        missing = "no users are set aside: `responsiveness.judge_share` is 0"
    elif not has_split:
        missing = (
            "the examples have no split of users who judge: they are of before "
            "`responsiveness.judge_share`; run again from EventExampleGen on"
        )
    elif found.num_users < policy.min_users:
        thin = (
            f"{found.num_users} users judge; at least `responsiveness.min_users` = "
            f"{policy.min_users} are needed"
        )
    elif reliability.value is None:
        thin = f"the judge's log is too thin: {reliability.reason}"
    return Judge(found, reliability, missing or thin, thin is not None)
