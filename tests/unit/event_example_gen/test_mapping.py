"""Foreign rows become canonical events, or are refused for the right reason."""

import decimal
import math
import uuid

import numpy as np
import pyarrow as pa
import pytest

from components.event_example_gen import mapping
from schema import settings

ACTIONS = ("dislike", "like", "skip", "view")
DATA = settings.DataSettings()
NOW = 1_700_000_000_000


def row(**cells):
    return {
        "user_id": "u",
        "item_id": "i",
        "timestamp": str(NOW),
        "action": "like",
        **cells,
    }


def table(*rows):
    names = {name: None for cells in rows for name in cells}
    return pa.table(
        {
            name: pa.array([cells.get(name) for cells in rows], pa.string())
            for name in names
        }
    )


def reasons(raw, event_mapping=None, data=DATA):
    _, found = mapping.to_events(
        raw, event_mapping or settings.EventMapping(), data, ACTIONS
    )
    return [found.of(i) for i in range(raw.num_rows)]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({}, ""),
        ({"user_id": ""}, "missing_user_id"),
        ({"user_id": None}, "missing_user_id"),
        ({"user_id": "a\nb"}, "newline_in_user_id"),
        ({"item_id": "  "}, "missing_item_id"),
        ({"item_id": "a\r"}, "newline_in_item_id"),
        ({"timestamp": ""}, "missing_timestamp"),
        ({"timestamp": "yesterday"}, "bad_timestamp"),
        ({"timestamp": "1700000000"}, "timestamp_in_seconds"),
        ({"timestamp": "-5"}, "timestamp_out_of_range"),
        ({"timestamp": "4102444800000"}, "timestamp_out_of_range"),
        ({"timestamp": "4102444799999"}, ""),
        ({"timestamp": "315532800000"}, ""),
        ({"action": ""}, "missing_action"),
        ({"action": "buy"}, "unknown_action"),
        ({"value": "0.5"}, ""),
        ({"value": ""}, ""),
        ({"value": "much"}, "bad_value"),
        ({"value": "NaN"}, ""),
        ({"value": "-inf"}, "non_finite_value"),
        ({"value": "1e39"}, "non_finite_value"),  # not in single precision
        ({"sequence": "3"}, ""),
        ({"sequence": "first"}, "bad_sequence"),
        # The first reason in this order wins.
        ({"user_id": "", "timestamp": "x", "action": "buy"}, "missing_user_id"),
        ({"timestamp": "x", "action": "buy"}, "bad_timestamp"),
    ],
)
def test_reason(cells, reason):
    # Between two good rows: a bad one must not take them along.
    found = reasons(table(row(), row(**cells), row()))
    assert found == ["", reason, ""]


def test_milliseconds_where_seconds_are_declared_are_named():
    raw = table(row(timestamp=str(NOW)), row(timestamp="1700000000"))
    found = reasons(raw, settings.EventMapping(timestamp_unit="s"))
    assert found == ["timestamp_in_milliseconds", ""]


def test_text_of_a_time_where_a_number_is_declared_is_named():
    raw = table(row(timestamp="2024-02-29T12:00:00Z"), row(), row(timestamp="x"))
    assert reasons(raw) == ["timestamp_in_iso8601", "", "bad_timestamp"]
    declared = settings.EventMapping(timestamp_unit="iso8601")
    assert reasons(raw, declared) == ["", "bad_timestamp", "bad_timestamp"]
    found, _ = mapping.to_events(raw, declared, DATA, ACTIONS)
    assert found.timestamp[0] == 1_709_208_000_000


def test_ids_as_decimals_and_uuids():
    raw = pa.table(
        {
            "user_id": pa.array([uuid.UUID(int=7).bytes] * 2, pa.binary(16)),
            "item_id": pa.array([decimal.Decimal("7"), decimal.Decimal("7.5")]),
            "timestamp": pa.array([decimal.Decimal(NOW)] * 2, pa.decimal128(38, 0)),
            "action": ["like", "like"],
        }
    )
    found, refused = mapping.to_events(raw, settings.EventMapping(), DATA, ACTIONS)
    assert [refused.of(i) for i in range(2)] == ["", "bad_item_id"]
    assert found.user_ids.to_pylist() == ["00000000-0000-0000-0000-000000000007"]
    assert found.item_ids.to_pylist()[0] == "7"
    assert found.timestamp.tolist() == [NOW, NOW]


@pytest.mark.parametrize("column", ["user_id", "timestamp", "action", "value"])
def test_truth_values_where_text_or_numbers_belong(column):
    raw = table(row(value="1"))
    place = raw.column_names.index(column)
    assert reasons(raw.set_column(place, column, [[True]])) == ["bad_type"]


def test_without_a_limit_the_future_is_welcome():
    raw = table(row(timestamp=str(NOW + 10**9)))
    for limit, reason in ((86_400_000, "future_timestamp"), ("none", "")):
        data = settings.DataSettings(max_future_ms=limit)
        _, found = mapping.to_events(raw, settings.EventMapping(), data, ACTIONS, NOW)
        assert found.of(0) == reason


@pytest.mark.parametrize("value", [math.nan, None])
def test_a_value_that_is_not_a_number_is_none(value):
    raw = table(row()).append_column("value", pa.array([value], pa.float64()))
    found, refused = mapping.to_events(raw, settings.EventMapping(), DATA, ACTIONS)
    assert refused.of(0) == ""
    assert math.isnan(found.value[0])


@pytest.mark.parametrize("kind", [pa.string(), pa.binary(), "dictionary"])
def test_texts_that_mean_no_value(kind):
    raw = table(
        row(user_id="NULL"),
        row(item_id="\\N", value="1"),
        row(value="NULL", sequence="\\N"),
        row(user_id="null"),
    )
    columns = [
        column.dictionary_encode() if kind == "dictionary" else column.cast(kind)
        for column in raw.columns
    ]
    raw = pa.table(dict(zip(raw.column_names, columns, strict=True)))
    declared = settings.EventMapping(missing_values=("NULL", "\\N"))
    assert reasons(raw, declared) == ["missing_user_id", "missing_item_id", "", ""]
    assert reasons(raw) == ["", "", "bad_value", ""]


def test_the_fields_of_a_good_row():
    raw = table(
        row(value="0.25", sequence="7"),
        row(user_id="v", action="dislike", timestamp=str(NOW + 1)),
    )
    found, _ = mapping.to_events(raw, settings.EventMapping(), DATA, ACTIONS)
    assert found.user_ids.take(pa.array(found.user)).to_pylist() == ["u", "v"]
    assert found.item_ids.take(pa.array(found.item)).to_pylist() == ["i", "i"]
    assert found.timestamp.tolist() == [NOW, NOW + 1]
    assert [ACTIONS[code] for code in found.action] == ["like", "dislike"]
    assert found.value[0] == 0.25
    assert math.isnan(found.value[1])
    assert found.sequence.tolist() == [7, mapping.NO_SEQUENCE]


def test_typed_columns_as_parquet_holds_them():
    raw = pa.table(
        {
            "user_id": pa.array([1.0, 2.0]),
            "item_id": pa.array([7, 8], pa.int32()),
            "timestamp": pa.array([NOW * 1000, NOW * 1000], pa.timestamp("us")),
            "action": pa.array(["like", "view"]).dictionary_encode(),
            "value": pa.array([1, None], pa.int8()),
        }
    )
    found, refused = mapping.to_events(raw, settings.EventMapping(), DATA, ACTIONS)
    assert not len(refused.rejected())
    assert found.user_ids.to_pylist() == ["1", "2"]
    assert found.item_ids.to_pylist() == ["7", "8"]
    assert found.timestamp.tolist() == [NOW, NOW]
    assert found.value[0] == 1.0
    assert math.isnan(found.value[1])


def rules(*action_rules, default=""):
    return settings.EventMapping(
        columns=settings.EventColumns(action="", value="value"),
        action_rules=action_rules,
        default_action=default,
    )


def rule(**fields):
    return settings.ActionRule(column="rating", **fields)


def actions(raw, event_mapping):
    found, refused = mapping.to_events(raw, event_mapping, DATA, ACTIONS)
    return [
        refused.of(i) or ACTIONS[code] for i, code in enumerate(found.action.tolist())
    ]


@pytest.mark.parametrize("as_text", [True, False])
def test_rating_rules(as_text):
    ratings = [0.5, 2.5, 3.0, 4.0, 5.0, None]
    raw = table(*[row() for _ in ratings])
    column = pa.array(ratings)
    raw = raw.append_column("rating", column.cast(pa.string()) if as_text else column)
    stars = (rule(action="like", at_least=4.0), rule(action="dislike", at_most=2.5))
    assert actions(raw, rules(*stars, default="view")) == [
        "dislike",
        "dislike",
        "view",
        "like",
        "like",
        "view",
    ]
    assert actions(raw, rules(*stars))[2] == "no_rule_matched"


def test_the_first_rule_that_matches_wins():
    raw = table(row(rating="5"))
    both = (rule(action="like", at_least=1.0), rule(action="view", at_least=4.0))
    assert actions(raw, rules(*both)) == ["like"]
    assert actions(raw, rules(*reversed(both))) == ["view"]


def test_equality_by_number_and_by_text():
    raw = table(*[row(rating=text) for text in ("1", "1.0", "one", "")])
    number = rules(rule(action="like", equals=1.0), default="view")
    text = rules(rule(action="like", equals="one"), default="view")
    assert actions(raw, number) == ["like", "like", "view", "view"]
    assert actions(raw, text) == ["view", "view", "like", "view"]


def test_bounds_hold_together():
    raw = table(*[row(rating=text) for text in ("1", "2", "3")])
    between = rules(rule(action="like", at_least=2.0, at_most=2.5), default="view")
    assert actions(raw, between) == ["view", "like", "view"]


def test_a_dwell_fraction_needs_a_duration():
    raw = table(
        row(value="30", duration="60"),
        row(value="30", duration="0"),
        row(value="30", duration=""),
        row(value="", duration="60"),
        row(value="30", duration="long"),
    )
    divided = settings.EventMapping(value_divided_by="duration")
    found, refused = mapping.to_events(raw, divided, DATA, ACTIONS)
    assert found.value[0] == 0.5
    assert np.isnan(found.value[1:4]).all()
    assert [refused.of(i) for i in range(5)] == ["", "", "", "", "bad_value"]


def test_minus_zero_equals_zero():
    raw = table(row(value="-0.0"), row(value="0.0"))
    found, _ = mapping.to_events(raw, settings.EventMapping(), DATA, ACTIONS)
    assert found.value[:1].tobytes() == found.value[1:].tobytes()


def test_required_columns():
    assert mapping.required_columns(settings.EventMapping()) == [
        "user_id",
        "item_id",
        "timestamp",
        "action",
    ]
    divided = rules(rule(action="like", equals=1.0)).model_copy(
        update={"value_divided_by": "duration"}
    )
    assert mapping.required_columns(divided) == [
        "user_id",
        "item_id",
        "timestamp",
        "rating",
        "duration",
    ]
    assert mapping.column_uses(divided) == [
        ("user_id", "text"),
        ("item_id", "text"),
        ("timestamp", "time"),
        ("value", "number"),
        ("sequence", "number"),
        ("rating", "condition"),
        ("duration", "number"),
    ]
