"""The two components: executors on fake artifacts, and what their driver notices."""

import gzip
import json
import os

import apache_beam as beam
import pytest
from tfx.components.example_gen import utils
from tfx.components.util import examples_utils
from tfx.orchestration import data_types
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import proto_utils

from components import artifacts
from components.event_example_gen import component, executor
from components.item_catalog_gen import component as catalog_component
from components.item_catalog_gen import executor as catalog_executor
from schema import errors, settings

NOW = 1_700_000_000_000
HEADER = "user_id,item_id,timestamp,action\n"


def event_gen(location, judge_share=0.0, **data):
    return component.EventExampleGen(
        settings.DataSettings(events=str(location), split="leave_last_out", **data),
        settings.EventMapping(),
        settings.FeedbackSettings(),
        settings.HistorySettings(),
        judge_share,
    )


def catalog_gen(items="", events="", **data):
    return catalog_component.ItemCatalogGen(
        settings.DataSettings(items=str(items), events=str(events), **data),
        settings.ItemMapping(),
        settings.EventMapping(),
    )


def as_stored(node):
    """Returns the execution properties as metadata holds them."""
    return {
        name: value
        if isinstance(value, (str, int))
        else proto_utils.proto_to_json(value)
        for name, value in node.exec_properties.items()
        if value is not None
    }


def drive(node):
    """Returns the execution properties after the driver."""
    driver = node.driver_class(None)
    pipeline_info = data_types.PipelineInfo("p", "r")
    component_info = data_types.ComponentInfo("t", "i", pipeline_info)
    return driver.resolve_exec_properties(
        as_stored(node), pipeline_info, component_info
    )


def execute(folder, node, executor_class, report_class, report_key, inputs=None):
    examples = standard_artifacts.Examples()
    report = report_class()
    examples.uri = str(folder / "root" / "Gen" / "examples" / "7")
    report.uri = str(folder / "root" / "Gen" / report_key / "7")
    for artifact in (examples, report):
        os.makedirs(artifact.uri)
    context = executor_class.Context(
        make_beam_pipeline_fn=lambda: beam.Pipeline(argv=["--runner=FnApiRunner"])
    )
    executor_class(context).Do(
        inputs or {}, {"examples": [examples], report_key: [report]}, drive(node)
    )
    return examples, report


def run_events(folder, node):
    return execute(
        folder,
        node,
        executor.EventExecutor,
        artifacts.IngestionReport,
        "ingestion_report",
    )


def good_rows(num=10):
    return "".join(f"u{n % 2},i{n},{NOW + n},like\n" for n in range(num))


@pytest.mark.parametrize("pattern", ["log.csv", "*.csv", "", "span-{SPAN}/*"])
def test_events_of_a_folder_whose_name_looks_like_a_pattern(tmp_path, pattern):
    folder = tmp_path / ("what [1]" if "SPAN" in pattern else "what [1]*")
    (folder / "span-3").mkdir(parents=True)
    for path in (folder / "log.csv", folder / "span-3" / "log.csv"):
        path.write_text(HEADER + good_rows())
    if not pattern:
        (folder / "span-3" / "log.csv").unlink()
        (folder / "span-3").rmdir()
    _, report = run_events(tmp_path, event_gen(folder / pattern))
    with open(os.path.join(report.uri, "ingestion.json")) as file:
        assert json.load(file)["events_kept"] == 10


def test_events(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + good_rows())
    examples, report = run_events(tmp_path, event_gen(tmp_path / "log.csv"))
    assert artifact_utils.decode_split_names(examples.split_names) == [
        "train",
        "eval",
        "test",
    ]
    assert examples_utils.get_payload_format(examples) == (
        example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE
    )
    assert examples_utils.get_file_format(examples) == "tfrecords_gzip"
    for split in ("train", "eval", "test"):
        folder = artifact_utils.get_split_uri([examples], split)
        assert sorted(os.listdir(folder)) == [
            f"examples-0000{shard}-of-00004.gz" for shard in range(4)
        ]
    with open(os.path.join(report.uri, "ingestion.json")) as file:
        assert json.load(file)["examples"] == {"train": 2, "eval": 2, "test": 2}
    assert sorted(os.listdir(report.uri)) == ["ingestion.json", "items.parquet"]
    # What was spilled on the way is gone.
    assert sorted(os.listdir(examples.uri)) == [
        "Split-eval",
        "Split-test",
        "Split-train",
    ]


def test_users_who_judge_have_a_split(tmp_path):
    """Of u0 and u1 the hash puts u1 at .23, and u0 above .3."""
    (tmp_path / "log.csv").write_text(HEADER + good_rows())
    node = event_gen(tmp_path / "log.csv", judge_share=0.3)

    examples, report = run_events(tmp_path, node)

    names = artifact_utils.decode_split_names(examples.split_names)
    assert names == ["train", "eval", "test", "judge"]
    with open(os.path.join(report.uri, "ingestion.json")) as file:
        found = json.load(file)
    assert found["examples"] == {"train": 1, "eval": 1, "test": 2, "judge": 1}
    assert sum(found["labels"]["judge"].values()) == 4


def test_a_span_pattern_reads_the_newest_span(tmp_path):
    for span, num in ((1, 4), (2, 6)):
        folder = tmp_path / f"span-{span}"
        folder.mkdir()
        (folder / "log.csv").write_text(HEADER + good_rows(num))
    node = event_gen(tmp_path / "span-{SPAN}" / "*.csv")
    assert drive(node)[utils.SPAN_PROPERTY_NAME] == 2
    _, report = run_events(tmp_path, node)
    with open(os.path.join(report.uri, "ingestion.json")) as file:
        assert json.load(file)["events_read"] == 6


@pytest.mark.parametrize(
    ("folders", "pattern", "window", "numbers", "events_read"),
    [
        # A span may be missing; the newest there are make the window.
        (["span-1", "span-2", "span-5"], "span-{SPAN}", 2, [2, 5], 6),
        (["span-1", "span-2", "span-5"], "span-{SPAN}", 9, [1, 2, 5], 9),
        # 2023-11-14 is day 19,675.
        (
            ["2023-11-14", "2023-11-15", "2023-11-16"],
            "{YYYY}-{MM}-{DD}",
            2,
            [19_676, 19_677],
            6,
        ),
        # The newest version of each span replaces the others.
        (
            ["s08/v1", "s08/v2", "s10/v1"],
            "s{SPAN:2}/v{VERSION}",
            2,
            [8, 10],
            6,
        ),
    ],
)
def test_a_window_of_spans(tmp_path, folders, pattern, window, numbers, events_read):
    for number, folder in enumerate(folders):
        (tmp_path / folder).mkdir(parents=True)
        rows = "".join(f"u1,i{number}{n},{NOW + number},like\n" for n in range(3))
        (tmp_path / folder / "log.csv").write_text(HEADER + rows)
    node = event_gen(tmp_path / pattern / "*.csv", window_spans=window)
    driven = drive(node)
    assert driven[utils.SPAN_PROPERTY_NAME] == numbers[-1]
    before = driven[utils.FINGERPRINT_PROPERTY_NAME]
    _, report = run_events(tmp_path, node)
    with open(os.path.join(report.uri, "ingestion.json")) as file:
        found = json.load(file)
    assert (found["spans"], found["events_read"]) == (numbers, events_read)
    # An edit of an older span of the window is noticed as well.
    oldest = tmp_path / folders[-window:][0] / "log.csv"
    oldest.write_text(oldest.read_text() + f"u1,late,{NOW},like\n")
    assert drive(node)[utils.FINGERPRINT_PROPERTY_NAME] != before


def test_orchestrators_without_drivers_read_the_same_window(tmp_path):
    for span in (1, 2, 3):
        (tmp_path / f"span-{span}").mkdir()
        (tmp_path / f"span-{span}" / "log.csv").write_text(HEADER + good_rows(3))
    node = event_gen(tmp_path / "span-{SPAN}" / "*.csv", window_spans=2)
    source = executor.EventExecutor()
    undriven, driven = (
        [file.path for file in source.source_files(properties, "test", "data.events")]
        for properties in (as_stored(node), drive(node))
    )
    assert undriven == driven
    assert [path.split("/")[-2] for path in driven] == ["span-2", "span-3"]


def test_too_many_refused_rows_fail_and_the_dead_letters_outlive_the_outputs(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + good_rows() + "u,i,oops,like\n" * 2)
    with pytest.raises(errors.InputError, match="bad_timestamp 2") as failure:
        run_events(tmp_path, event_gen(tmp_path / "log.csv"))
    rescued = tmp_path / "root" / "Gen" / "failed_ingestion" / "7"
    assert str(rescued) in str(failure.value)
    letters = gzip.decompress((rescued / "rejected-00000.jsonl.gz").read_bytes())
    assert [json.loads(line)["position"] for line in letters.splitlines()] == [12, 13]
    assert json.loads((rescued / "ingestion.json").read_text())["events_read"] == 12


def test_a_raised_share_lets_the_log_pass(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + good_rows() + "u,i,oops,like\n" * 2)
    run_events(tmp_path, event_gen(tmp_path / "log.csv", max_rejected_share=0.2))


def test_seconds_where_milliseconds_are_declared_say_so(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + f"u,i,{NOW // 1000},like\n")
    with pytest.raises(errors.InputError, match="timestamp_in_seconds 1"):
        run_events(tmp_path, event_gen(tmp_path / "log.csv"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER, "no usable row"),
        ("user_id,item_id,timestamp\nu,i,1\n", "no column 'action'"),
        ("", "empty or damaged"),
    ],
)
def test_a_log_without_events(tmp_path, content, message):
    (tmp_path / "log.csv").write_text(content)
    with pytest.raises(errors.InputError, match=message):
        run_events(tmp_path, event_gen(tmp_path / "log.csv"))


def test_a_missing_log_and_a_missing_span(tmp_path):
    with pytest.raises(errors.InputError, match="matches no file"):
        run_events(tmp_path, event_gen(tmp_path / "log.csv"))
    with pytest.raises(errors.InputError, match="SPAN"):
        drive(event_gen(tmp_path / "span-{SPAN}" / "*.csv"))


def test_a_catalogue(tmp_path):
    (tmp_path / "items.csv").write_text("item_id,title\ni1,One\ni2,\n")
    examples, report = execute(
        tmp_path,
        catalog_gen(items=tmp_path / "items.csv"),
        catalog_executor.CatalogExecutor,
        artifacts.CatalogReport,
        catalog_executor.CATALOG_REPORT,
    )
    assert artifact_utils.decode_split_names(examples.split_names) == ["catalog"]
    with open(os.path.join(report.uri, "catalog.json")) as file:
        assert json.load(file)["items_kept"] == 2


def test_a_catalogue_from_the_log(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + good_rows())
    _, report = execute(
        tmp_path,
        catalog_gen(events=tmp_path / "log.csv"),
        catalog_executor.CatalogExecutor,
        artifacts.CatalogReport,
        catalog_executor.CATALOG_REPORT,
    )
    with open(os.path.join(report.uri, "catalog.json")) as file:
        assert json.load(file)["items_kept"] == 10


def test_the_catalogue_is_held_against_the_items_of_the_log(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + good_rows(4))
    (tmp_path / "items.csv").write_text("item_id\ni0\ni1\ni2\nunmet\n")
    _, ingestion = run_events(tmp_path / "log", event_gen(tmp_path / "log.csv"))
    inputs = {"ingestion_report": [ingestion]}

    def run(folder, **data):
        _, report = execute(
            tmp_path / folder,
            catalog_gen(items=tmp_path / "items.csv", **data),
            catalog_executor.CatalogExecutor,
            artifacts.CatalogReport,
            catalog_executor.CATALOG_REPORT,
            inputs,
        )
        with open(os.path.join(report.uri, "catalog.json")) as file:
            return json.load(file)

    found = run("first", max_share_not_in_catalog=0.25)
    assert found["items_in_log"] == 3
    assert found["items_not_in_log"] == 1
    assert found["log_items_not_in_catalog"] == 1
    message = "lacks 1 of the 4 items of the log.*max_share_not_in_catalog` = 0.2 "
    with pytest.raises(errors.InputError, match=message):
        run("second", max_share_not_in_catalog=0.2)
    (tmp_path / "items.csv").write_text("item_id\nI0\nI1\n")
    with pytest.raises(errors.InputError, match="holds none of the 4 items of the log"):
        run("third")


def test_a_catalogue_of_contradictions_fails(tmp_path):
    (tmp_path / "items.csv").write_text("item_id,title\ni1,One\ni1,Two\n")
    with pytest.raises(errors.InputError, match="duplicate_item_id 1"):
        execute(
            tmp_path,
            catalog_gen(items=tmp_path / "items.csv"),
            catalog_executor.CatalogExecutor,
            artifacts.CatalogReport,
            catalog_executor.CATALOG_REPORT,
        )


def fingerprint(node):
    return drive(node)[utils.FINGERPRINT_PROPERTY_NAME]


@pytest.mark.parametrize("gen", [event_gen, lambda path: catalog_gen(items=path)])
def test_any_edit_changes_the_fingerprint(tmp_path, gen):
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "u,i,1,like\n")
    os.utime(path, ns=(NOW * 10**6, NOW * 10**6))
    before = fingerprint(gen(tmp_path))
    assert fingerprint(gen(tmp_path)) == before
    # The same size, in the same second.
    path.write_text(HEADER + "u,i,2,like\n")
    os.utime(path, ns=(NOW * 10**6 + 1, NOW * 10**6 + 1))
    edited = fingerprint(gen(tmp_path))
    assert edited != before
    path.rename(tmp_path / "b.csv")
    assert fingerprint(gen(tmp_path)) != edited


def test_what_enters_the_cache_key():
    events = as_stored(event_gen("/a/log.csv"))
    assert set(events) >= {"data", "mapping", "feedback", "history", "source_digest"}
    other = as_stored(event_gen("/a/log.csv", max_events_per_user_per_day=5))
    assert other["data"] != events["data"]
    # A new log does not make a catalogue stale.
    first = as_stored(catalog_gen(items="/a/items.csv", events="/a/1.csv"))
    second = as_stored(catalog_gen(items="/a/items.csv", events="/a/2.csv"))
    assert first == second
    assert as_stored(catalog_gen(events="/a/1.csv")) != as_stored(
        catalog_gen(events="/a/2.csv")
    )


def test_the_dead_letters_of_the_daily_limit(tmp_path):
    rows = "".join(f"u,i{n},{NOW + n},view\n" for n in range(40))
    (tmp_path / "log.csv").write_text(HEADER + rows + f"v,i1,{NOW},view\n")
    node = event_gen(
        tmp_path / "log.csv", max_events_per_user_per_day=39, max_rejected_share=0.5
    )
    _, report = run_events(tmp_path, node)
    path = os.path.join(report.uri, "rejected-policy.jsonl.gz")
    with gzip.open(path, "rt") as file:
        (letter,) = [json.loads(line) for line in file]
    assert letter["reason"] == "over_daily_limit"
    assert letter["file"] == str(tmp_path / "log.csv")
    assert letter["position"] == 41  # the fortieth row, after the header
    assert json.loads(letter["raw"])["item_id"] == "i39"
