"""The checks before anything runs."""

import gzip

import pyarrow as pa
import pytest
from pyarrow import parquet

from components.event_example_gen import check as event_check
from schema import errors, settings

HEADER = b"user_id,item_id,timestamp,action\n"
FEEDBACK = settings.FeedbackSettings()


def check(location, mapping=None):
    data = settings.DataSettings(events=str(location))
    event_check.check_source(data, mapping or settings.EventMapping(), FEEDBACK)


def by_rules(*actions, default=""):
    return settings.EventMapping(
        columns=settings.EventColumns(action=""),
        action_rules=tuple(
            settings.ActionRule(column="rating", equals=1.0, action=action)
            for action in actions
        ),
        default_action=default,
    )


def test_good_files_of_every_format(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + HEADER)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(HEADER))
    (tmp_path / "c.jsonl").write_text(
        '{"user_id":1,"item_id":1}\n{"timestamp":1,"action":"x"}\n'
    )
    table = pa.table({name: ["1"] for name in HEADER.decode().strip().split(",")})
    parquet.write_table(table, tmp_path / "d.parquet")
    check(tmp_path)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.parquet"])
def test_a_column_that_a_file_lacks(tmp_path, name):
    path = tmp_path / name
    if name.endswith("parquet"):
        parquet.write_table(pa.table({"user_id": [1], "item": [1]}), path)
    elif name.endswith("jsonl"):
        path.write_text('{"user_id": 1, "item": 1}\n')
    else:
        text = b"user_id,item\n1,1\n"
        path.write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    with pytest.raises(errors.InputError, match=r"no column 'item_id'.*item, user_id"):
        check(path)


def test_a_column_that_only_the_name_of_a_folder_holds(tmp_path):
    (tmp_path / "timestamp=1700000000000").mkdir()
    path = tmp_path / "timestamp=1700000000000" / "a.csv"
    path.write_text("user_id,item_id,action\nu,i,like\n")
    with pytest.raises(errors.InputError, match="name of the folder alone"):
        check(tmp_path / "*" / "*.csv")


def test_one_wrong_file_of_many_is_named(tmp_path):
    (tmp_path / "a.csv").write_bytes(HEADER)
    (tmp_path / "b.csv").write_bytes(b"user_id,item_id,timestamp\n")
    with pytest.raises(errors.InputError, match=r"b\.csv has no column 'action'"):
        check(tmp_path)


def test_a_list_where_an_id_belongs(tmp_path):
    table = pa.table(
        {"user_id": [[1]], "item_id": [1], "timestamp": [1], "action": ["a"]}
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(errors.InputError, match="'user_id' holds list"):
        check(tmp_path)


def test_a_damaged_file_among_good_ones_passes(tmp_path):
    (tmp_path / "a.csv").write_bytes(HEADER)
    (tmp_path / "b.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "c.csv").write_bytes(b"")
    check(tmp_path)
    # Those behind the damaged one are looked at too.
    (tmp_path / "d.csv").write_bytes(b"user_id\n")
    with pytest.raises(errors.InputError, match=r"d\.csv has no column"):
        check(tmp_path)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.csv.gz", "a.jsonl"])
def test_nothing_but_an_empty_file(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(errors.InputError, match="empty or damaged"):
        check(tmp_path)


def test_an_action_that_the_policy_does_not_define(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"user_id,item_id,timestamp,rating\n")
    with pytest.raises(errors.InputError, match=r"'love'.*dislike, like, skip, view"):
        check(tmp_path, by_rules("like", "love"))
    with pytest.raises(errors.InputError, match="'meh'"):
        check(tmp_path, by_rules("like", default="meh"))
    with pytest.raises(errors.InputError, match="neither"):
        check(tmp_path, by_rules())
    check(tmp_path, by_rules("like", default="view"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADER.replace(b"\n", b"\r") + b"u,i,1,like\r", r"carriage return alone.*tr"),
        (HEADER.decode().encode("utf-16-le"), "zero bytes.*UTF-8"),
        (b"\n" + HEADER, "is blank"),
        (b"# exported\n" + HEADER, "is a comment"),
    ],
    ids=["carriage returns", "utf-16 without mark", "blank", "comment"],
)
def test_a_first_line_that_is_no_header(tmp_path, content, said):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(errors.InputError, match=rf"a\.csv: the first line .*{said}"):
        check(tmp_path)


def test_utf_16_with_a_mark(tmp_path):
    (tmp_path / "a.csv").write_bytes(HEADER.decode().encode("utf-16"))
    check(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"user_id": 1}]\n', "one JSON array.*jq"),
        ('[\n{"user_id": 1}\n]\n', "one JSON array.*jq"),
        ('{\n"user_id": 1\n}\n', "whole object on each line.*jq"),
    ],
)
def test_json_that_is_no_json_lines(tmp_path, content, said):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(errors.InputError, match=said):
        check(tmp_path)
