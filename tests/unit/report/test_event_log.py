from pipeline.report.sections import event_log
from schema import reports
from tests.unit.report import report_run


def build(catalog=report_run.CATALOG, **changed):
    return event_log.build(
        reports.Ingestion(**{**report_run.INGESTION, **changed}),
        reports.Catalog(**catalog) if catalog else None,
    )


def test_tiles_hold_the_counts():
    tiles = dict(build().tiles)
    assert tiles["events read"] == "1,000"
    assert tiles["events rejected"] == "50"
    assert tiles["duplicates dropped"] == "10"


def test_rejections_are_named_most_frequent_first():
    built = build()
    assert built.rejected == (("missing_item_id", "40"), ("bad_timestamp", "10"))
    # 50 of 1,000
    assert "5.00\u00a0% of the events were rejected" in built.summary[0].text
    assert "missing_item_id" in built.summary[0].text


def test_a_clean_log_is_good():
    built = build(events_read=950, events_rejected={})
    assert built.summary[0].judgement == "good"
    assert built.rejected == ()


def test_counts_that_do_not_add_up_are_bad():
    finding = build(events_read=1001).summary[0]
    assert finding.judgement == "bad"
    assert "1,001" in finding.text
    assert "1,000" in finding.text


def test_no_usable_event_is_bad():
    finding = build(events_read=50, events_kept=0, events_deduplicated=0).summary[0]
    assert (finding.text, finding.judgement) == (
        "No event of the log could be used.",
        "bad",
    )


def test_labels_by_split_and_polarity():
    built = build()
    train = built.splits[0]
    assert (train.name, train.examples) == ("train", "20")
    assert train.labels == ("600", "200", "0")
    assert train.negative_share == "25.0\u00a0%"
    assert [row.name for row in built.splits] == ["train", "eval", "test"]


def test_without_negative_labels_nothing_can_be_learnt_from_dislikes():
    labels = {"train": {"positive": 5, "negative": 0, "neutral": 0}}
    finding = build(labels=labels).summary[1]
    assert finding.judgement == "bad"


def test_a_report_without_labels_shows_dashes():
    built = build(labels={})
    assert built.splits[0].labels == ("\u2013",) * 3
    assert built.splits[0].negative_share == "\u2013"
    assert len(built.summary) == 1


def test_time_cuts_are_shown():
    day_ms = 86_400_000
    built = build(split_times_ms=(0, day_ms))
    assert built.cuts == ("1970-01-01 00:00 UTC", "1970-01-02 00:00 UTC")
    assert build().cuts is None


def test_the_catalogue_says_what_it_lacks():
    built = build()
    (finding,) = built.catalog_summary
    assert "names no creators" in finding.text
    assert "categories" not in finding.text
    assert "2 items were rejected" in finding.text
    assert dict(built.catalog_tiles)["with categories"] == "50.0\u00a0%"


def test_pictures_that_no_page_may_load_are_told():
    built = build({**report_run.CATALOG, "with_image_url": 12, "image_urls_refused": 1})
    assert "1 item came with an image address" in built.catalog_summary[1].text
    assert dict(built.catalog_tiles)["with a picture"] == "25.0\u00a0%"
    assert "with a picture" not in dict(build().catalog_tiles)


def test_items_of_the_log_and_a_missing_catalogue():
    from_log = build({**report_run.CATALOG, "source": "events"})
    assert "No catalogue was given" in from_log.catalog_summary[0].text
    missing = build(None)
    assert (missing.catalog_summary, missing.catalog_tiles) == ((), ())
