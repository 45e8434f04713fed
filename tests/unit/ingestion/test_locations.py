"""Paths, globs, folders and span patterns."""

import pytest

from components.ingestion import locations
from schema import errors


@pytest.fixture
def folder(tmp_path):
    for name in ("b.csv", "a.csv.gz", "_SUCCESS", ".hidden.csv", "span-1/x.parquet"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def names(files):
    return [file.path.rsplit("/", 1)[1] for file in files]


def test_a_folder_means_its_data_files(folder):
    files = locations.local_files(str(folder), "data.events")
    assert names(files) == ["a.csv.gz", "b.csv"]
    assert [(file.index, file.format, file.compressed) for file in files] == [
        (0, "csv", True),
        (1, "csv", False),
    ]


def test_a_glob_a_path_and_a_span(folder):
    for pattern, expected in (
        ("b.csv", ["b.csv"]),
        ("*.gz", ["a.csv.gz"]),
        ("span-{SPAN}/*.parquet", ["x.parquet"]),
        ("span-{SPAN:1}/x.parquet", ["x.parquet"]),
    ):
        assert names(locations.local_files(f"{folder}/{pattern}", "k")) == expected


def test_a_folder_whose_name_looks_like_a_glob(tmp_path):
    folder = tmp_path / "logs [2024]"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"")
    assert names(locations.local_files(str(folder), "k")) == ["a.csv"]


@pytest.mark.parametrize("name", ["[1]", "a*b", "what?", "{SPAN}"])
def test_what_exists_is_no_pattern(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / f"x{name}.csv").write_bytes(b"")
    (folder / "y.csv").write_bytes(b"")
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "y.csv").write_bytes(b"")
    for pattern, expected in (
        (f"x{name}.csv", [f"x{name}.csv"]),
        ("y.csv", ["y.csv"]),
        ("y*", ["y.csv"]),
        ("", [f"x{name}.csv", "y.csv"]),
    ):
        files = locations.local_files(f"{folder}/{pattern}", "k")
        assert names(files) == expected
        assert {file.path.rsplit("/", 2)[1] for file in files} == {name}


def test_spans_below_a_folder_of_which_tfx_makes_a_pattern(tmp_path):
    (tmp_path / "a*b" / "span-1").mkdir(parents=True)
    with pytest.raises(errors.InputError, match=r"a\*b is a folder .*rename it"):
        locations.split_location(f"{tmp_path}/a*b/span-{{SPAN}}/*")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/logs/a.csv", ("/logs", "a.csv")),
        ("/logs/*/a.csv", ("/logs", "*/a.csv")),
        ("/logs/span-{SPAN}/v{VERSION}/*.gz", ("/logs", "span-{SPAN}/v{VERSION}/*.gz")),
        ("/logs/{YYYY}-{MM}-{DD}/a.csv", ("/logs", "{YYYY}-{MM}-{DD}/a.csv")),
        ("gs://bucket/x/*.csv", ("gs://bucket/x", "*.csv")),
    ],
)
def test_split_location(location, expected):
    assert locations.split_location(location) == expected


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("", "`data.events` is empty"),
        ("nowhere.csv", "matches no file"),
        ("*.parquet", "matches no file"),
        ("readme.txt", "expected a file named"),
        ("log.parquet.gz", "expected a file named"),
    ],
)
def test_errors_name_the_key_or_the_file(tmp_path, location, message):
    for name in ("readme.txt", "log.parquet.gz"):
        (tmp_path / name).write_bytes(b"")
    full = str(tmp_path / location) if location else ""
    with pytest.raises(errors.InputError, match=message):
        locations.local_files(full, "data.events")


@pytest.mark.parametrize(
    ("pattern", "paths", "num_spans", "expected"),
    [
        (
            "span-{SPAN}/*.csv",
            ["span-9/a.csv", "span-10/a.csv", "span-10/b.csv", "span-x/a.csv"],
            5,
            [(9, "span-9/*.csv"), (10, "span-10/*.csv")],
        ),
        # Zeros in front stay, whether the pattern asks for them or not.
        (
            "s{SPAN:3}/e.csv",
            ["s007/e.csv", "s8/e.csv"],
            5,
            [(7, "s007/e.csv")],
        ),
        ("s{SPAN}/e.csv", ["s007/e.csv"], 5, [(7, "s007/e.csv")]),
        (
            "{YYYY}/{MM}/{DD}/[ab]?.csv",
            ["1970/01/02/a1.csv", "1970/13/02/a1.csv", "1970/01/03/c1.csv"],
            5,
            [(1, "1970/01/02/[ab]?.csv")],
        ),
        (
            "{SPAN}/v{VERSION}.csv",
            ["1/v10.csv", "1/v2.csv", "2/v1.csv"],
            5,
            [(1, "1/v10.csv"), (2, "2/v1.csv")],
        ),
        ("{SPAN}.csv", ["1.csv", "2.csv", "3.csv"], 2, [(2, "2.csv"), (3, "3.csv")]),
        # The window ends at span 100, and dots mean dots.
        ("{SPAN}.csv", ["101.csv", "99.csv", "98xcsv"], 2, [(99, "99.csv")]),
    ],
)
def test_the_newest_spans(pattern, paths, num_spans, expected):
    assert locations.newest_spans(paths, pattern, 100, num_spans) == expected
