"""The Beam path of the catalogue, from files to files."""

import gzip
import json

import apache_beam as beam
import pyarrow as pa
import pytest
from pyarrow import parquet
from tfx_bsl.coders import example_coder

from components.ingestion import locations
from components.item_catalog_gen import plan, transforms
from schema import settings
from tests.properties import ingestion_runs


def ingest(folder, paths, event_item_column="", num_shards=2, mapping=None, **options):
    policies = options.pop("policies", {})
    logged = options.pop("logged", None)
    if logged is not None:
        options["logged_items"] = str(folder / "items.parquet")
        table = pa.table({"item_id": pa.array(logged, pa.string())})
        parquet.write_table(table, options["logged_items"])
    catalog = plan.CatalogPlan(
        files=tuple(locations.source_files(map(str, paths), "test", "data.items")),
        mapping=mapping or settings.ItemMapping(),
        event_item_column=event_item_column,
        num_shards=num_shards,
        examples_dir=str(folder / "Split-catalog"),
        report_dir=str(folder / "report"),
        data=settings.DataSettings(**policies),
        **options,
    )
    with beam.Pipeline(argv=["--runner=FnApiRunner"]) as pipeline:
        _ = pipeline | transforms.IngestItems(catalog)
    report = json.loads((folder / "report" / "catalog.json").read_text())
    files = sorted((folder / "Split-catalog").iterdir())
    assert len(files) == num_shards
    records = [r for file in files for r in ingestion_runs.tfrecords(file)]
    items = {}
    for record in records:
        features = example_coder.ExampleToNumpyDict(record)
        cells = {
            name: [] if values is None else values.tolist()
            for name, values in features.items()
        }
        (item,) = cells.pop("item_id")
        items[item.decode()] = cells
    added = 0
    if policies.get("items_not_in_catalog") == "withdraw":
        added = report["log_items_not_in_catalog"]
    assert len(items) == len(records) == report["items_kept"] + added
    assert report["items_read"] == (
        report["items_kept"]
        + report["duplicates"]
        + sum(report["items_rejected"].values())
    )
    return report, items


def test_a_catalogue_with_every_kind_of_row(tmp_path):
    (tmp_path / "a.csv").write_text(
        "item_id,creator_id,categories,title,created_at\n"
        "i1,c1,b|a,One,10\n"
        "i2,,,,\n"
        "i1,c1,a|b,One,10\n"  # equal: categories are a set
        "i1,c2,a|b,Other,10\n"  # differs
        ",c1,a,No id,10\n"
        "i3,c1,a\n"
        'i4,c1,a,"A title\nof two lines",11\n'
    )
    report, items = ingest(tmp_path, [tmp_path / "a.csv"])
    assert items == {
        "i1": {
            "creator_id": [b"c1"],
            "categories": [b"a", b"b"],
            "title": [b"One"],
            "image_url": [],
            "created_at": [10],
            "attributes": [],
            "withdrawn": [],
        },
        "i2": {
            "creator_id": [],
            "categories": [],
            "title": [],
            "image_url": [],
            "created_at": [],
            "attributes": [],
            "withdrawn": [],
        },
        "i4": {
            "creator_id": [b"c1"],
            "categories": [b"a"],
            "title": [b"A title\nof two lines"],
            "image_url": [],
            "created_at": [11],
            "attributes": [],
            "withdrawn": [],
        },
    }
    assert report == {
        "items_read": 7,
        "items_kept": 3,
        "duplicates": 1,
        "items_rejected": {
            "duplicate_item_id": 1,
            "missing_item_id": 1,
            "wrong_cell_count": 1,
        },
        "with_creator": 2,
        "with_categories": 2,
        "with_title": 2,
        "with_created_at": 2,
        "with_image_url": 0,
        "image_urls_refused": 0,
        "with_attributes": 0,
        "withdrawn": 0,
        "items_in_log": None,
        "items_not_in_log": None,
        "log_items_not_in_catalog": None,
        "source": "items",
    }
    letters = ingestion_runs.dead_letters(tmp_path)
    assert ingestion_runs.reasons(letters) == report["items_rejected"]
    (duplicate,) = [x for x in letters if x["reason"] == "duplicate_item_id"]
    assert duplicate["position"] == 5
    assert json.loads(duplicate["raw"])["creator_id"] == ["c2"]


def test_the_first_file_wins_whatever_the_format(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"item_id": 1, "title": "first"}\n')
    table = pa.table({"item_id": [1, 2], "title": ["second", "x"]})
    parquet.write_table(table, tmp_path / "b.parquet")
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(b"item_id,title\n1,third\n"))
    paths = [tmp_path / name for name in ("c.csv.gz", "b.parquet", "a.jsonl")]
    report, items = ingest(tmp_path, paths)
    assert items["1"]["title"] == [b"first"]
    assert report["items_rejected"] == {"duplicate_item_id": 2}


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_lists_are_the_same_in_every_format(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        path.write_text("item_id,categories\ni,b|a\nj,\n")
    elif suffix == "jsonl":
        path.write_text('{"item_id":"i","categories":["b","a"]}\n{"item_id":"j"}\n')
    else:
        parquet.write_table(
            pa.table({"item_id": ["i", "j"], "categories": [["b", "a"], None]}), path
        )
    _, items = ingest(tmp_path, [path])
    assert items["i"]["categories"] == [b"a", b"b"]
    assert items["j"]["categories"] == []


def test_without_a_catalogue_the_items_of_the_log_are_one(tmp_path):
    (tmp_path / "a.csv").write_text("user,thing\nu,i1\nu,i2\nv,i1\nv,\n")
    (tmp_path / "b.csv").write_text("user,thing\nw,i3\nw,i1\n")
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    report, items = ingest(tmp_path, paths, event_item_column="thing")
    assert set(items) == {"i1", "i2", "i3"}
    assert report["source"] == "events"
    assert (report["items_read"], report["duplicates"]) == (6, 2)
    assert report["items_rejected"] == {"missing_item_id": 1}


def test_files_and_blocks_do_not_matter(tmp_path):
    rows = [f"i{n % 40},c{n % 40 % 7},x|y{n % 40},T{n % 40}\n" for n in range(90)]
    written = []
    for name, order, options in (
        ("one", rows, {}),
        ("two", rows[::-1], {"block_bytes": 50}),
    ):
        folder = tmp_path / name
        folder.mkdir()
        header = "item_id,creator_id,categories,title\n"
        (folder / "a.csv").write_text(header + "".join(order[:50]))
        (folder / "b.csv").write_text(header + "".join(order[50:]))
        report, _ = ingest(folder, [folder / "a.csv", folder / "b.csv"], **options)
        files = sorted((folder / "Split-catalog").iterdir())
        written.append((report, [file.read_bytes() for file in files]))
    assert written[0] == written[1]
    assert written[0][0]["duplicates"] == 50


def test_a_picture_that_no_page_may_load_costs_its_item_nothing_else(tmp_path):
    rows = [
        {"item_id": "good", "image_url": "https://img.example/1.jpg"},
        {"item_id": "script", "image_url": "javascript:alert(1)", "title": "kept"},
        {"item_id": "data", "image_url": "data:image/png;base64,AA=="},
        {"item_id": "file", "image_url": "posters/1.jpg"},
        {"item_id": "list", "image_url": ["https://img.example/2.jpg"]},
        {"item_id": "number", "image_url": 1.5},
        {"item_id": "none", "image_url": " "},
        {"item_id": "absent"},
        {"item_id": "script", "image_url": "javascript:alert(1)", "title": "kept"},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(lines)
    report, items = ingest(tmp_path, [tmp_path / "a.jsonl"])
    assert (report["items_kept"], report["items_rejected"]) == (8, {})
    addresses = {item_id: item["image_url"] for item_id, item in items.items()}
    assert addresses.pop("good") == [b"https://img.example/1.jpg"]
    assert list(addresses.values()) == [[]] * 7
    assert items["script"]["title"] == [b"kept"]
    # Of the items kept: the duplicate is not counted once more.
    assert (report["with_image_url"], report["image_urls_refused"]) == (1, 5)


def test_pictures_under_another_name(tmp_path):
    (tmp_path / "a.csv").write_text("item_id,poster\na,http://b.example/1\nb,N/A\n")
    columns = settings.ItemColumns(image_url="poster")
    named = settings.ItemMapping(columns=columns, missing_values=("N/A",))
    report, items = ingest(tmp_path, [tmp_path / "a.csv"], mapping=named)
    assert items["a"]["image_url"] == [b"http://b.example/1"]
    assert (report["with_image_url"], report["image_urls_refused"]) == (1, 0)


WITHDRAWN_ROWS = (
    "item_id,withdrawn,title\n"
    "sold,1,A\n"
    "known,0,B\n"
    "new,,C\n"
    "gone and met,TRUE,D\n"
    "unclear,maybe,E\n"
)


@pytest.mark.parametrize(
    ("policies", "withdrawn"),
    [
        ({}, {"sold", "gone and met"}),
        ({"items_not_in_log": "withdraw"}, {"sold", "gone and met", "new"}),
        ({"items_not_in_catalog": "withdraw"}, {"sold", "gone and met", "only met"}),
    ],
)
def test_items_that_one_side_lacks_by_policy(tmp_path, policies, withdrawn):
    (tmp_path / "a.csv").write_text(WITHDRAWN_ROWS)
    report, items = ingest(
        tmp_path,
        [tmp_path / "a.csv"],
        logged=["known", "gone and met", "only met"],
        policies=policies,
        num_shards=3,
    )
    assert {name for name, item in items.items() if item["withdrawn"] == [1]} == (
        withdrawn
    )
    assert all(item["withdrawn"] in ([], [1]) for item in items.values())
    found = {
        key: report[key]
        for key in (
            "items_in_log",
            "items_not_in_log",
            "log_items_not_in_catalog",
            "withdrawn",
        )
    }
    assert found == {
        "items_in_log": 2,
        "items_not_in_log": 2,
        "log_items_not_in_catalog": 1,
        "withdrawn": len(withdrawn),
    }
    assert report["items_rejected"] == {"bad_withdrawn": 1}
    if "items_not_in_catalog" in policies:
        assert items["only met"]["title"] == []


def test_a_log_of_other_items_leaves_empty_shards_alone(tmp_path):
    (tmp_path / "a.csv").write_text("item_id\na\n")
    report, items = ingest(
        tmp_path, [tmp_path / "a.csv"], logged=[f"i{n}" for n in range(50)]
    )
    assert set(items) == {"a"}
    assert report["log_items_not_in_catalog"] == 50


@pytest.mark.parametrize(
    "column",
    [
        pa.array([True, False, None]),
        pa.array([1, 0, None]),
        pa.array([1.0, 0.0, float("nan")]),
        pa.array(["1", "false", ""]),
        pa.array([" True", "0", None]).dictionary_encode(),
    ],
)
def test_withdrawn_in_any_type(tmp_path, column):
    table = pa.table({"item_id": ["a", "b", "c"], "withdrawn": column})
    parquet.write_table(table, tmp_path / "a.parquet")
    _, items = ingest(tmp_path, [tmp_path / "a.parquet"])
    assert [items[name]["withdrawn"] for name in "abc"] == [[1], [], []]


def test_declared_features_of_json_lines(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"item_id": "i1", "languages": ["fr", "en"], "minutes": 90}\n'
        '{"item_id": "i2", "languages": [], "minutes": null}\n'
    )
    declared = {
        "languages": settings.ItemFeature(),
        "length": settings.ItemFeature(column="minutes", edges=(60.0, 120.0)),
    }
    report, items = ingest(
        tmp_path,
        [tmp_path / "a.jsonl"],
        policies={"item_features": declared, "items": "a.jsonl"},
    )

    assert items["i1"]["attributes"] == [
        b"languages=en",
        b"languages=fr",
        b"length=1",
    ]
    assert items["i2"]["attributes"] == []
    assert report["with_attributes"] == 1
