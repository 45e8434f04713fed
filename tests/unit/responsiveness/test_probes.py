"""The further questions, on recommenders by hand: what is sent, what comes back."""

import numpy as np

from components.responsiveness import (
    behaviour,
    branch_point,
    clusters,
    histories,
    probes,
    same_kind,
)
from schema import settings
from tests import known_recommenders
from tests.builders import ids

ALIKE = clusters.members(known_recommenders.CLUSTER)


def answer(branches):
    return [
        known_recommenders.CONTENT.share(branches.slates[name], branches.item_id).mean()
        for name in ("control", "treatment")
    ]


def users(recommender):
    return behaviour.Behaviour(recommender, known_recommenders.policy())


def about_to_meet(recommender, item="a-5", starts=None):
    """Users, two with the same two items by default, about to meet an item."""
    starts = starts or [
        known_recommenders.start(f"u{n}", "b-0", "b-1") for n in range(2)
    ]
    history = histories.Histories(starts, 0)
    item_k = ids(*[item] * len(starts))
    return branch_point.BranchPoint(users(recommender), history, item_k, "dislike")


def sent(recommender, call, row=0):
    """The history of a call as (item, actions)."""
    item_id, action, _, _ = recommender.calls[call]
    return [
        (item.decode(), done.decode())
        for item, done in zip(item_id[row], action[row], strict=True)
        if item
    ]


def test_decay_grows_both_histories_by_the_same_items():
    recommender = known_recommenders.Recommender("dislike")
    uniform = np.full((2, 3, 2), 0.5)

    found = probes.decay(about_to_meet(recommender), [1, 2, 3], [], uniform)

    assert list(found) == [("decay", 1), ("decay", 2), ("decay", 3)]
    control, before, treated = (sent(recommender, call) for call in (-3, -2, -1))
    assert before == [*control[:2], *control[3:]]
    assert [item for item, _ in control] == [item for item, _ in treated]
    assert len(control) == 2 + 1 + 2
    differing = [place for place in range(5) if control[place] != treated[place]]
    assert differing == [2]
    assert treated[2] == ("a-5", "dislike|view")


def test_decay_sees_an_answer_fade():
    """This recommender heeds the last action only: a step later it has forgotten."""
    point = about_to_meet(known_recommenders.Recommender("dislike"))

    found = probes.decay(point, [1, 2], [], np.full((2, 2, 2), 0.5))

    assert answer(found["decay", 1]) == [1.0, 0.0]
    control, treated = answer(found["decay", 2])
    assert control == treated > 0.0


def test_decay_is_asked_at_the_given_steps_only():
    """Six slates of three endings, and one of each step to choose the next item."""
    recommender = known_recommenders.Recommender()

    found = probes.decay(
        about_to_meet(recommender), [1, 4], [], np.full((2, 4, 2), 0.5)
    )

    assert list(found) == [("decay", 1), ("decay", 4)]
    assert len(recommender.calls) == 4 + 2 * 2
    assert len(sent(recommender, -1)) == 2 + 1 + 3


def test_a_gap_is_the_time_to_the_one_event_that_follows():
    recommender = known_recommenders.Recommender()
    day = 86_400_000

    found = probes.decay(
        about_to_meet(recommender), [1, 2], [day], np.full((2, 2, 2), 0.5)
    )

    # The day's three slates come before those of the second step.
    before, control, treated = recommender.calls[3:6]
    for item_id, _, timestamp, _ in (control, treated):
        assert (item_id[0] != b"").sum() == 4
        assert timestamp[0, 3] - timestamp[0, 2] == day
    assert (before[0][0] != b"").sum() == 3
    assert before[2][0, 2] == control[2][0, 3]
    later = found["gap_ms", day].slates["control"]
    np.testing.assert_array_equal(later, found["decay", 2].slates["control"])


def test_persistence_adds_its_steps_to_the_decay():
    policy = known_recommenders.policy(decay_steps=2, persistence_events=(1, 5))

    assert probes.steps_of_decay(policy) == [1, 2, 6]
    assert probes.steps_needed(policy) == 6 + 5  # the largest dose


def test_histories_of_the_probes_are_copies():
    point = about_to_meet(known_recommenders.Recommender())
    policy = known_recommenders.policy(
        decay_steps=2,
        doses=(1, 2),
        persistence_events=(1,),
        persistence_gaps_ms=(5,),
        undoing_likes=2,
    )
    before = point.history.copy()

    found = probes.ask(point, policy, "like", ALIKE, np.full((2, 4, 2), 0.5))

    assert {probe.name for probe in found} == {
        "decay", "dose", "gap_ms", "in_a_row", "liked_after", "taken_back",
        "unsaid",
    }  # fmt: skip
    np.testing.assert_array_equal(point.history.item_id, before.item_id)
    np.testing.assert_array_equal(point.history.action, before.action)
    np.testing.assert_array_equal(point.history.length, before.length)


def test_no_steps_are_no_decay():
    point = about_to_meet(known_recommenders.Recommender())

    assert probes.decay(point, [], [5], np.full((2, 0, 2), 0.5)) == {}


class Counting(known_recommenders.Recommender):
    """Leaves out as many of the last item's cluster as there are dislikes of it."""

    def __call__(self, item_id, action, timestamp, value, k):
        disliked = [
            sum(b"dislike" in a and i[:1] == b"a" for i, a in zip(*pair, strict=True))
            for pair in zip(item_id, action, strict=True)
        ]
        slates = super().__call__(item_id, action, timestamp, value, k)
        for row, number in enumerate(disliked):
            slates[row, :number] = b"other"
        return slates


def test_doses_share_their_items_and_answer_one_by_one():
    recommender = Counting()

    found = same_kind.doses(
        about_to_meet(recommender), (1, 3), ALIKE, np.full((2, 3), 0.25)
    )

    # Five places, all of the cluster without a dislike.
    assert answer(found["dose", 1]) == [1.0, 0.8]
    assert answer(found["dose", 3]) == [1.0, 0.4]
    control, one, three = (sent(recommender, call) for call in (-3, -2, -1))
    assert [i for i, _ in control] == [i for i, _ in one] == [i for i, _ in three]
    added = [item for item, _ in control[2:]]
    assert len(set(added)) == 3
    assert all(item.startswith("a-") for item in added)
    assert added[-1] == "a-5"  # item k is the latest: dose 1 is the dislike of it
    assert [a for _, a in one] == ["view"] * 4 + ["dislike|view"]
    assert [a for _, a in three] == ["view"] * 2 + ["dislike|view"] * 3


def test_user_whose_cluster_is_used_up_gets_no_dose():
    """Nine of ten items of the cluster met: one is left, and two are asked for."""
    met = [f"a-{n}" for n in range(9)]
    starts = [known_recommenders.start("u", *met), known_recommenders.start("v", "b-0")]
    point = about_to_meet(known_recommenders.Recommender(), "a-9", starts)

    found = same_kind.doses(point, (2,), ALIKE, np.full((2, 2), 0.5))

    assert found["dose", 2].user_id.tolist() == [b"v"]


def test_item_that_resembles_nothing_gets_no_dose():
    point = about_to_meet(known_recommenders.Recommender(), "other")

    assert same_kind.doses(point, (1,), ALIKE, np.full((2, 1), 0.5)) == {}


def test_likes_of_the_same_kind_follow_in_all_endings():
    recommender = known_recommenders.Recommender()

    found = same_kind.liked_after(
        about_to_meet(recommender), "like", 60_000, 2, ALIKE, np.full((2, 2), 0.5)
    )

    before, control, treated = (sent(recommender, call) for call in (-3, -2, -1))
    assert list(found) == [("liked_after", 0)]
    assert control[2] == ("a-5", "view")
    assert treated[2] == ("a-5", "dislike|view")
    assert control[3:] == treated[3:] == before[2:]
    assert [action for _, action in control[3:]] == ["like", "like"]
    assert all(item.startswith("a-") for item, _ in control[3:])


def test_the_slate_before_lacks_item_k_and_is_no_shorter():
    """Without k the next of its cluster moves up; the history had b before it."""
    point = about_to_meet(known_recommenders.Recommender("dislike"), "b-2")

    found = probes.decay(point, [1], [], np.full((2, 1, 2), 0.5))["decay", 1]

    before = [item.decode() for item in found.slates["before"][0]]
    assert before == ["b-3", "b-4", "b-5", "b-6", "b-7"]
    control = [item.decode() for item in found.slates["control"][0]]
    assert control == before


def test_in_a_row_treats_the_last_three_items_whatever_they_are():
    recommender = known_recommenders.Recommender()
    point = about_to_meet(recommender)
    # What really was done there is in neither branch.
    point.history.action[:, 1] = b"skip"

    probes.in_a_row(point)

    assert sent(recommender, -2) == [("b-0", "view"), ("b-1", "view"), ("a-5", "view")]
    assert [a for _, a in sent(recommender, -1)] == ["dislike|view"] * 3


def test_unsaid_compares_with_a_history_without_any_dislike():
    recommender = known_recommenders.Recommender("dislike")
    point = about_to_meet(recommender, "b-2")
    point.history.action[0] = ids("dislike|like", "like")
    point.history.action[1] = ids("disliked", "skip")

    found = probes.unsaid(point)

    unsaid = [sent(recommender, -3, row) for row in range(2)]
    assert unsaid[0] == [("b-0", "view"), ("b-1", "like")]
    assert unsaid[1] == [("b-0", "disliked"), ("b-1", "skip")]
    assert sent(recommender, -1) == [
        ("b-0", "dislike|like"), ("b-1", "like"), ("b-2", "dislike|view"),
    ]  # fmt: skip
    before = [item.decode() for item in found.slates["before"][0]]
    assert before == ["b-3", "b-4", "b-5", "b-6", "b-7"]


def test_taken_back_compares_with_the_like_alone():
    recommender = known_recommenders.Recommender()

    probes.taken_back(about_to_meet(recommender), "like", 60_000)

    before, control, treated = (sent(recommender, call) for call in (-3, -2, -1))
    assert before == control[:2]
    assert control[2:] == [("a-5", "like")]
    assert treated[2:] == [("a-5", "dislike|view"), ("a-5", "like")]


def test_a_dislike_taken_back_leaves_nothing_of_the_answer():
    """This recommender heeds the last action only: the like is what it answers."""
    point = about_to_meet(known_recommenders.Recommender("dislike"))
    kept = known_recommenders.estimator().kept

    assert kept(probes.decay(point, [1], [], UNIFORM)["decay", 1]).of_control == 0.0
    assert kept(probes.taken_back(point, "like", 60_000)).of_control == 1.0


UNIFORM = np.full((2, 1, 2), 0.5)


def test_replay_of_a_single_event_has_an_empty_history_before():
    recommender = EmptyHistory()
    window = known_recommenders.start("u", "a-1")

    found = probes.replay(users(recommender), [window], b"dislike|view")

    assert found.slates["before"].tolist() == [[b"b-0"] * 5]
    assert found.slates["control"].tolist() == [[b"a-0"] * 5]


class EmptyHistory:
    """Recommends b to who has met nothing, and a to all others."""

    def __call__(self, item_id, action, timestamp, value, k):
        has_met = (item_id != b"").any(axis=1)
        return np.array([[b"a-0" if met else b"b-0"] * k for met in has_met], object)


def test_replay_asks_at_the_last_real_event_and_changes_nothing_before_it():
    window = known_recommenders.start("u", "b-0", "c-0", "a-1", action=b"like")
    recommender = known_recommenders.Recommender("dislike")

    found = probes.replay(users(recommender), [window], b"dislike")

    assert found.item_id.tolist() == [b"a-1"]
    assert sent(recommender, -2) == [("b-0", "like"), ("c-0", "like"), ("a-1", "view")]
    assert sent(recommender, -1)[-1] == ("a-1", "dislike")
    assert answer(found) == [1.0, 0.0]
    assert window.action.tolist() == [b"like"] * 3


def test_beginnings_are_the_first_elements_of_a_drawn_number():
    start = known_recommenders.start("u", *[f"b-{n}" for n in range(6)])

    found = probes.beginnings([start] * 4, 4, np.array([0.0, 0.4, 0.99, 0.99]))

    assert [len(window.item_id) for window in found] == [2, 3, 4, 4]
    assert found[1].item_id.tolist() == [b"b-0", b"b-1", b"b-2"]
    (short,) = probes.beginnings([known_recommenders.start("u", "b-0")], 4, np.zeros(1))
    assert short.item_id.tolist() == [b"b-0"]


def test_undoing_takes_the_strongest_positive_action():
    policy = known_recommenders.policy(control_action="view")
    assert probes.undo_action(policy, settings.FeedbackSettings()) == "like"
    negative_only = settings.FeedbackSettings(
        actions={
            "view": settings.ActionPolicy(polarity="neutral"),
            "dislike": settings.ActionPolicy(polarity="negative", explicit=True),
        }
    )
    assert probes.undo_action(policy, negative_only) == "view"
