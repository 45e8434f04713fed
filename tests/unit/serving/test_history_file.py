import gzip

import pytest

from schema import errors
from serving import history_file
from serving.requests import Event

JSON_LINES = (
    '{"item_id": "b", "action": "view", "timestamp": 2000, "value": 0.5}\n'
    "\n"
    '{"item_id": 7, "action": "like", "timestamp": 1000, "value": null}\n'
)
CSV_TEXT = (
    "user_id,item_id,action,timestamp,value,sequence\n"
    "u,b,view,2000,0.5,\n"
    "u,7,like,1000,,\n"
)
EXPECTED = [Event("7", "like", 1_000, None), Event("b", "view", 2_000, 0.5)]


def test_history_formats_agree(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet

    (tmp_path / "h.jsonl").write_text(JSON_LINES)
    (tmp_path / "h.csv").write_text("\ufeff" + CSV_TEXT)
    with gzip.open(tmp_path / "h.csv.gz", "wt") as file:
        file.write("\ufeff" + CSV_TEXT)
    table = pa.table(
        {
            "item_id": ["b", "7"],
            "action": ["view", "like"],
            "timestamp": [2_000, 1_000],
            "value": [0.5, None],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "h.parquet")

    for name in ("h.jsonl", "h.csv", "h.csv.gz", "h.parquet"):
        assert history_file.read_history(tmp_path / name) == EXPECTED, name


def test_equal_timestamps_are_ordered_by_sequence_then_item(tmp_path):
    path = tmp_path / "h.csv"
    path.write_text(
        "item_id,action,timestamp,sequence\n"
        "a,view,5,2\nz,view,5,1\nc,view,5,2\nb,view,5,10\n"
    )

    assert [e.item_id for e in history_file.read_history(path)] == ["z", "a", "c", "b"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("h.txt", "", "must end in .jsonl"),
        ("h.jsonl", '{"item_id": "a"', r"h.jsonl, line 1: expected one JSON object"),
        ("h.jsonl", "[1]\n", r"line 1: expected one JSON object a line; got '\[1\]'"),
        ("h.jsonl", '\n{"item_id": "a"}', "line 2: `action` must be .* got nothing"),
        (
            "h.jsonl",
            '{"item_id": "a", "action": "view", "timestamp": "soon"}',
            "line 1: `timestamp` must be a whole number of milliseconds; got 'soon'",
        ),
        (
            "h.jsonl",
            '{"item_id": "a", "action": "view", "timestamp": 1.5}',
            "`timestamp` .* got 1.5",
        ),
        (
            "h.jsonl",
            '{"item_id": "a", "action": "view", "timestamp": 1, "value": "much"}',
            "`value` must be a finite number or absent; got 'much'",
        ),
        ("h.csv", "item_id,action\na,view\n", "line 1: the header .* timestamp is"),
        (
            "h.csv",
            "item_id,action,timestamp\na,view,1\na,view\n",
            "line 3: expected 3 cells",
        ),
        (
            "h.csv",
            "user_id,item_id,action,timestamp\nu,a,view,1\nv,a,view,2\n",
            "one user; .*line 2 has 'u' and .*line 3 has 'v'",
        ),
        ("h.parquet", "no parquet", "h.parquet is not a Parquet file"),
        ("h.csv.gz", "no gzip", "cannot read .*h.csv.gz"),
    ],
)
def test_bad_history_files_are_named(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(errors.InputError, match=message):
        history_file.read_history(path)


def test_missing_history_file(tmp_path):
    with pytest.raises(errors.InputError, match=r"none.csv does not exist"):
        history_file.read_history(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("value", "message"),
    [("9" * 5_000, "integer string conversion"), ("[" * 10**5, "nested too deeply")],
)
def test_json_that_python_cannot_hold_is_named(tmp_path, value, message):
    path = tmp_path / "h.jsonl"
    path.write_text(f'{{"item_id": {value}')
    with pytest.raises(errors.InputError, match=message) as caught:
        history_file.read_history(path)
    assert f"{path}, line 1" in str(caught.value)
