"""What the event log and the catalogue hold."""

from __future__ import annotations

import dataclasses

from pipeline.report.wording import findings, formatting
from schema import reports

POLARITIES = ("positive", "negative", "neutral")
_SPLITS = ("train", "eval", "test")


@dataclasses.dataclass(frozen=True)
class SplitRow:
    """One split: examples (windows of histories) and labels by polarity."""

    name: str
    examples: str
    labels: tuple[str, ...]
    """In the order of `POLARITIES`."""
    negative_share: str


@dataclasses.dataclass(frozen=True)
class EventLog:
    """The section, ready to be shown."""

    summary: tuple[findings.Finding, ...]
    tiles: tuple[tuple[str, str], ...]
    """Label and count."""
    rejected: tuple[tuple[str, str], ...]
    """Reason and count, most frequent first."""
    splits: tuple[SplitRow, ...]
    cuts: tuple[str, str] | None
    """When the eval and the test split begin; None: each user's last elements."""
    catalog_summary: tuple[findings.Finding, ...]
    catalog_tiles: tuple[tuple[str, str], ...]


def build(ingestion: reports.Ingestion, catalog: reports.Catalog | None) -> EventLog:
    """Returns the section."""
    rejected = sum(ingestion.events_rejected.values())
    count = formatting.count
    cuts = ingestion.split_times_ms
    return EventLog(
        summary=(_kept(ingestion, rejected), *_negative_labels(ingestion)),
        tiles=(
            ("events read", count(ingestion.events_read)),
            ("events kept", count(ingestion.events_kept)),
            ("events rejected", count(rejected)),
            ("duplicates dropped", count(ingestion.events_deduplicated)),
            ("interactions", count(ingestion.interactions)),
            ("users", count(ingestion.users)),
            ("items met by users", count(ingestion.items)),
        ),
        rejected=_by_count(ingestion.events_rejected),
        splits=_splits(ingestion),
        cuts=(formatting.utc_time(cuts[0]), formatting.utc_time(cuts[1]))
        if cuts
        else None,
        catalog_summary=_catalog_summary(catalog),
        catalog_tiles=_catalog_tiles(catalog),
    )


def _by_count(counts: dict[str, int]) -> tuple[tuple[str, str], ...]:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple((name, formatting.count(number)) for name, number in ordered)


def _kept(ingestion: reports.Ingestion, rejected: int) -> findings.Finding:
    read, kept = ingestion.events_read, ingestion.events_kept
    accounted = kept + rejected + ingestion.events_deduplicated
    if read != accounted:
        return findings.Finding(
            f"{formatting.count(read)} events were read, but kept, rejected and "
            f"duplicate ones add up to {formatting.count(accounted)}: events were "
            "lost or counted twice.",
            "bad",
        )
    if not kept:
        return findings.Finding("No event of the log could be used.", "bad")
    if not rejected:
        return findings.Finding(
            f"Every one of the {formatting.counted(read, 'event')} of the log could "
            "be read, and none was lost.",
            "good",
        )
    reason, _ = _by_count(ingestion.events_rejected)[0]
    return findings.Finding(
        f"{formatting.percent(rejected / read, 2)} of the events were rejected, most "
        f"often for the reason \u201c{reason}\u201d; the others are all accounted for."
    )


def _negative_labels(ingestion: reports.Ingestion) -> tuple[findings.Finding, ...]:
    labels = ingestion.labels.get("train")
    if not labels:
        return ()
    negative = labels.get("negative", 0)
    if not negative:
        return (
            findings.Finding(
                "The training split holds no negative label, so the model cannot "
                "learn from dislikes.",
                "bad",
            ),
        )
    share = negative / sum(labels.values())
    return (
        findings.Finding(
            f"{formatting.percent(share)} of what the model learns from are negative "
            f"labels ({formatting.count(negative)} of "
            f"{formatting.count(sum(labels.values()))}): it has dislikes to learn "
            "from.",
            "good",
        ),
    )


def _splits(ingestion: reports.Ingestion) -> tuple[SplitRow, ...]:
    extra = sorted(set(ingestion.examples) - set(_SPLITS))
    rows = []
    for name in (*_SPLITS, *extra):
        labels = ingestion.labels.get(name, {})
        share = formatting.share_of(labels.get("negative", 0), sum(labels.values()))
        rows.append(
            SplitRow(
                name=name,
                examples=formatting.count(ingestion.examples.get(name)),
                labels=tuple(formatting.count(labels.get(p)) for p in POLARITIES),
                negative_share=formatting.percent(share),
            )
        )
    return tuple(rows)


def _catalog_summary(catalog: reports.Catalog | None) -> tuple[findings.Finding, ...]:
    if catalog is None:
        return ()
    if catalog.source == "events":
        return (
            findings.Finding(
                "No catalogue was given: the items are those of the log, without "
                "titles, categories or creators."
            ),
        )
    rejected = sum(catalog.items_rejected.values())
    lacking = [
        name
        for name, number in (
            ("categories", catalog.with_categories),
            ("creators", catalog.with_creator),
        )
        if not number
    ]
    if lacking:
        text = (
            f"The catalogue names no {' and no '.join(lacking)}, so whether the model "
            f"heeds a dislike by its {' or '.join(lacking)} cannot be measured."
        )
    else:
        text = (
            "The catalogue names categories and creators, so whether the model heeds "
            "a dislike can be measured by both."
        )
    if rejected:
        most = _by_count(catalog.items_rejected)[0]
        text += (
            f" {formatting.counted(rejected, 'item')} were rejected, most often for "
            f"the reason \u201c{most[0]}\u201d."
        )
    return (
        findings.Finding(text, "neutral" if lacking or rejected else "good"),
        *_refused_pictures(catalog),
    )


def _refused_pictures(catalog: reports.Catalog) -> tuple[findings.Finding, ...]:
    refused = catalog.image_urls_refused
    if not refused:
        return ()
    return (
        findings.Finding(
            f"{formatting.counted(refused, 'item')} came with an image address that is "
            "no http(s) address, and have no picture."
        ),
    )


def _catalog_tiles(catalog: reports.Catalog | None) -> tuple[tuple[str, str], ...]:
    if catalog is None:
        return ()

    def having(number: int) -> str:
        return formatting.percent(formatting.share_of(number, catalog.items_kept))

    return (
        ("items in the catalogue", formatting.count(catalog.items_kept)),
        ("items rejected", formatting.count(sum(catalog.items_rejected.values()))),
        ("duplicates dropped", formatting.count(catalog.duplicates)),
        ("with a title", having(catalog.with_title)),
        ("with categories", having(catalog.with_categories)),
        ("with a creator", having(catalog.with_creator)),
        ("with a date", having(catalog.with_created_at)),
        # Few catalogues have pictures, and their lack costs no measurement.
        *([("with a picture", having(n))] if (n := catalog.with_image_url) else []),
    )
