import pydantic
import pytest

from pipeline.synthesize import settings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"users": 10, "events": 9}, "`events` must be at least `users`"),
        ({"users": 10, "events": 49, "min_events": 5}, "got 49 events for 10 users"),
        ({"items": 10, "creators": 11}, "`creators` must be at most `items`"),
        ({"resemblance": ()}, "`resemblance` must name"),
        ({"clusters": 2, "pair_share": 0.1}, "`clusters` must be at least 3"),
        ({"events": 10**9, "span_days": 1}, "`span_days` must leave 4 ms"),
        ({"avoidance": 1.1}, "avoidance"),
        ({"evnets": 5}, "evnets"),
    ],
)
def test_settings_that_do_not_fit_are_refused(given, message):
    with pytest.raises(pydantic.ValidationError, match=message):
        settings.SynthesisSettings(**given)


def test_defaults_of_derived_counts():
    plain = settings.SynthesisSettings(items=55)
    assert plain.num_creators == 5
    assert plain.num_content_clusters == 20
    assert settings.SynthesisSettings(pair_share=0.5).num_content_clusters == 40


def test_settings_survive_json():
    given = settings.SynthesisSettings(users=7, resemblance=("creator",))
    assert settings.SynthesisSettings.from_json(given.to_json()) == given
