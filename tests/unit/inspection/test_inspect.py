"""`heed inspect`: what becomes of the first rows, said before anything runs."""

import json
import subprocess
import sys

import pyarrow as pa
import pytest
from pyarrow import parquet
from typer import testing

from pipeline import cli  # noqa: F401 - registers the commands
from pipeline.commands import shell
from pipeline.inspection import guess

LOG = """\
who,what,when,seen,verdict
ann,film-1,2023-11-14T22:13:20Z,0.95,
ann,film-2,2023-11-14 22:23:20,0.10,
ann,NULL,2023-11-14T22:33:20Z,0.40,no
bob,film-1,yesterday,0.80,yes
bob,film-3,2023-11-15,0.80,yes
"""
CONFIG = """\
[data]
events = "log.csv"
items = "items.jsonl"
source = "watched"

[mappings.watched.events]
timestamp_unit = "iso8601"
columns = { user_id = "who", item_id = "what", timestamp = "when", action = "", \
value = "seen", sequence = "" }
action_rules = [{ column = "verdict", equals = "no", action = "dislike" }]
default_action = "view"

[mappings.watched.items]
columns = { item_id = "id", title = "title", categories = "genres.name" }
"""
ITEMS = [
    {"id": "film-1", "title": "One", "genres": [{"id": 7, "name": "Action"}]},
    {"id": "film-2", "title": ["Two"], "genres": [], "meta": {"x": [1]}},
    {"id": "film-9", "title": "Nine", "genres": None},
]


def inspect(*arguments):
    answer = testing.CliRunner().invoke(
        shell.app, ["inspect", *map(str, arguments)], catch_exceptions=False
    )
    return answer.exit_code, [
        " ".join(line.split()) for line in answer.output.split("\n")
    ]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.csv").write_text(LOG)
    lines = [json.dumps(item) for item in ITEMS]
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    (tmp_path / "mine.toml").write_text(CONFIG.replace("\\\n", ""))
    return tmp_path


def test_a_log_and_a_catalogue_under_their_mapping(folder):
    code, lines = inspect("--config", folder / "mine.toml")
    assert code == 0
    expected = f"""\
events: {folder}/log.csv
column type read as first values
who text user_id ann, bob
what text item_id film-1, film-2, NULL
when text timestamp 2023-11-14T22:13:20Z, 2023-11-14 22:23:20, …
seen text value 0.95, 0.10, 0.40
verdict text action_rules no, yes
of the first 5 rows 4 would be kept, 1 rejected
bad_timestamp: 1
line 5: bob,film-1,yesterday,0.80,yes
2 users, 4 items, times 2023-11-14 22:13 .. 2023-11-15 00:00
what holds 'NULL': if that means no value, name it in `missing_values` of the mapping
items: {folder}/items.jsonl
column type read as first values
id text item_id film-1, film-2, film-9
title list or text title One, ["Two"], Nine
genres.id number - 7
genres.name text categories Action
genres list - []
meta.x list - [1]
of the first 3 rows 2 would be kept, 1 rejected
bad_type: 1
line 2: {json.dumps(ITEMS[1])}
of 2 items: categories 1, title 2
the catalogue holds 2 of the 4 items of these events"""
    assert [line for line in lines if line] == expected.split("\n")


def test_a_mapping_that_does_not_fit_and_a_guess(tmp_path):
    ratings = {
        "userId": [1, 2],
        "movieId": [7, 8],
        "rating": [4.5, 1.0],
        "timestamp": [1_260_759_144, 1_260_759_179],
    }
    parquet.write_table(pa.table(ratings), tmp_path / "ratings.parquet")
    path = tmp_path / "ratings.parquet"
    code, lines = inspect(path)
    assert (code, lines) == inspect("--set", f"data.events={path}")
    assert code == 2
    assert "userId int64 - 1, 2" in lines
    assert 'timestamp_unit = "s"' in lines
    assert (
        'columns = { user_id = "userId", item_id = "movieId", timestamp = "timestamp", '
        'action = "", value = "", sequence = "" }'
    ) in lines
    assert '{ column = "rating", at_least = 4.0, action = "like" },' in lines
    assert any("has no column 'user_id'" in line for line in lines)


def test_the_guess_is_a_mapping_that_fits(folder):
    # What is printed is pasted into a file; it must do.
    _, lines = inspect(
        "--set", "data.events=log.csv", "--set", "data.items=items.jsonl"
    )
    begin = lines.index("[mappings.mine.items]")
    (folder / "guess.toml").write_text(
        "\n".join(['[data]\nsource = "mine"', *lines[begin : begin + 2]])
    )
    code, lines = inspect(
        *("--config", folder / "guess.toml", "--set", "data.items=items.jsonl"),
        *("--set", "data.events=log.csv"),
    )
    assert code == 2  # the log has names that nobody can guess
    assert "of 2 items: categories 1, title 2" in lines


def test_no_log_is_named():
    code, lines = inspect()
    assert code == 2
    assert "`heed inspect log.parquet`" in " ".join(lines)


@pytest.mark.parametrize(
    ("cells", "unit"),
    [
        ([1_700_000_000], "s"),
        ([1_700_000_000_000.0], "ms"),
        (["1700000000000000", "x"], "us"),
        ([1_700_000_000 * 10**9], "ns"),
        (["2024-01-01", "2024-01-01T10:00:00+01:00"], "iso8601"),
        (["yesterday", "x"], ""),
        ([5], ""),
        ([None], ""),
    ],
)
def test_units_of_time(cells, unit):
    assert guess.time_unit(pa.chunked_array([pa.array(cells)])) == unit


@pytest.mark.parametrize("files", ["a.parquet", "a.csv", "a.jsonl"])
def test_a_catalogue_that_holds_nothing_of_the_log(tmp_path, files):
    (tmp_path / "log.csv").write_text(
        "user_id,item_id,timestamp,action\nu,i,1700000000000,like\n"
    )
    if files == "a.parquet":
        parquet.write_table(pa.table({"item_id": ["I"]}), tmp_path / files)
    else:
        text = {"a.csv": "item_id\nI\n", "a.jsonl": '{"item_id": "I"}\n'}[files]
        (tmp_path / files).write_text(text)
    code, lines = inspect(
        *("--set", f"data.events={tmp_path}/log.csv"),
        *("--set", f"data.items={tmp_path}/{files}"),
    )
    assert code == 0
    assert "the catalogue holds 0 of the 1 items of these events" in lines
    assert "none: are ids written differently, or is another column the id?" in lines


def test_categories_that_are_lists_in_words(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp,action\n")
    (tmp_path / "items.csv").write_text(
        "item_id,categories\ni,\"['Action', 'Drama']\"\nj,\"['War']\"\nk,\n"
    )
    _, lines = inspect(
        *("--set", f"data.events={tmp_path}/log.csv"),
        *("--set", f"data.items={tmp_path}/items.csv"),
    )
    assert any("lists that are written as text" in line for line in lines)


def test_neither_tensorflow_nor_beam_is_loaded(folder):
    code = (
        "import sys; from pipeline import cli; sys.argv = ['heed', 'inspect', "
        "'--config', 'mine.toml']\n"
        "try: cli.main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert not {'tensorflow', 'apache_beam', 'tfx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder)
