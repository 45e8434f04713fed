import numpy as np
import pytest

from pipeline.synthesize import activity, draws, settings

START_MS = 1_704_067_200_000


@pytest.mark.parametrize(
    "given",
    [
        {"users": 1, "events": 1},
        {"users": 7, "events": 7},
        {"users": 10, "events": 12_345},
        {"users": 1_000, "events": 98_765, "heavy_user_share": 0.01},
        {"users": 4, "events": 4, "heavy_user_share": 0.5},
        # A quarter of the log for five heavy users would leave too little for 95.
        {"users": 100, "events": 110, "heavy_user_share": 0.05},
        {"users": 3, "events": 1_001, "activity_spread": 3.0},
    ],
)
def test_counts_sum_to_the_events_and_nobody_is_empty(given):
    counts = activity.events_per_user(settings.SynthesisSettings(**given))
    assert counts.size == given["users"]
    assert counts.sum() == given["events"]
    assert counts.min() >= 1


@pytest.mark.parametrize("heavy_user_share", [0.0, 0.01, 0.5])
def test_every_user_has_the_fewest_events_asked_for(heavy_user_share):
    given = settings.SynthesisSettings(
        users=100, events=600, min_events=5, heavy_user_share=heavy_user_share
    )
    counts = activity.events_per_user(given)

    assert counts.sum() == 600
    assert counts.min() == 5
    assert counts.max() > 6


def test_without_spread_all_users_are_alike():
    given = settings.SynthesisSettings(users=3, events=11, activity_spread=0.0)
    # 11 = 4 + 4 + 3: the remainder goes to the first.
    assert activity.events_per_user(given).tolist() == [4, 4, 3]


def test_heavy_users_have_their_events_but_a_quarter_of_the_log_at_most():
    given = {"users": 1_000, "heavy_user_share": 0.002, "heavy_user_events": 5_000}
    ample = settings.SynthesisSettings(events=100_000, **given)
    assert np.sort(activity.events_per_user(ample))[-2:].tolist() == [5_000, 5_000]
    tight = settings.SynthesisSettings(events=20_000, **given)
    assert (activity.events_per_user(tight) == 2_500).sum() == 2


@pytest.mark.parametrize("num_events", [1, 19, 20, 21, 5_000])
@pytest.mark.parametrize("span_days", [1.0, 90.0])
def test_exposures_ascend_inside_the_span(num_events, span_days):
    given = settings.SynthesisSettings(users=1, events=5_000, span_days=span_days)
    step = np.arange(num_events)
    for user in range(5):
        key = draws.draw(draws.stream(9, "user"), np.full(num_events, user))
        times = activity.exposure_time_ms(given, key, np.full_like(step, 5_000), step)
        assert (np.diff(times) >= 1).all()
        assert times[0] >= START_MS
        assert times[-1] < START_MS + span_days * 86_400_000


def test_the_densest_log_that_settings_allow_has_no_ties():
    events = 50_000
    span_ms = 4 * (events + 20)
    given = settings.SynthesisSettings(
        users=1, events=events, span_days=span_ms / 86_400_000 + 1e-9
    )
    step = np.arange(events)
    key = draws.draw(draws.stream(9, "user"), np.zeros(events, np.int64))
    times = activity.exposure_time_ms(given, key, np.full_like(step, events), step)
    assert (np.diff(times) >= 1).all()
