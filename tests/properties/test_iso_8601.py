"""Times as Python writes them are read as Python knows them."""

import datetime

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from components.ingestion import timestamps

UTC = datetime.timezone.utc
ZONES = st.one_of(
    st.none(),
    st.just(UTC),
    st.integers(-14 * 60, 14 * 60).map(
        lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes))
    ),
)
MOMENTS = st.datetimes(
    datetime.datetime.fromisoformat("1700-01-02"),
    datetime.datetime.fromisoformat("2262-01-01"),
    timezones=ZONES,
)
SPECS = ("auto", "minutes", "seconds", "milliseconds", "microseconds")


def milliseconds(text: str) -> int:
    """Returns the time by Python's own reader, finer parts rounded down."""
    moment = datetime.datetime.fromisoformat(text)
    since = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.datetime(
        1970, 1, 1, tzinfo=UTC
    )
    return since // datetime.timedelta(milliseconds=1)


TEXTS = st.lists(
    st.one_of(
        st.builds(
            datetime.datetime.isoformat,
            MOMENTS,
            st.sampled_from("T "),
            st.sampled_from(SPECS),
        ),
        MOMENTS.map(lambda moment: moment.date().isoformat()),
        st.sampled_from(["", "x", "2024-13-01", "2024-02-30T00:00:00", "1700000000"]),
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from([pa.string(), pa.binary(), pa.large_string()]))
def test_every_time_of_a_column(texts, kind):
    times = timestamps.milliseconds(pa.array(texts).cast(kind), "iso8601")
    for text, value, missing, bad in zip(
        texts, times.values.tolist(), times.missing, times.bad, strict=True
    ):
        try:
            expected = milliseconds(text)
        except ValueError:
            assert (missing, bad) == (text == "", text != ""), text
        else:
            assert (value, missing, bad) == (expected, False, False), text
