"""Weights that follow their strings into another vocabulary."""

import numpy as np
import pytest
import tensorflow as tf

from components.trainer import candidates, warm_start
from components.trainer import config as trainer_config
from schema import errors, settings
from tests import two_towers

OLD = warm_start.Vocabularies(
    item=[b"a", b"b", b"c"],
    creator=[b"x", b"y"],
    category=[b"drama", b"news"],
    attribute=[],
)
# "c" came to the front, "b" has gone, "d" and "e" are new; so with the creators.
NEW = warm_start.Vocabularies(
    item=[b"c", b"d", b"a", b"e"],
    creator=[b"y", b"z", b"x"],
    category=[b"news"],
    attribute=[],
)


def table(vocabularies, creator, categories):
    """Each item has the creator and the categories named for it."""
    return candidates.build_candidate_table(
        vocabulary=vocabularies.item,
        counts=dict.fromkeys(vocabularies.item, 1),
        catalog_item_id=vocabularies.item,
        catalog_creator=[
            vocabularies.creator.index(creator[i]) + 1 if i in creator else 0
            for i in vocabularies.item
        ],
        catalog_categories=[
            [vocabularies.category.index(c) + 1 for c in categories.get(i, [])]
            for i in vocabularies.item
        ],
        max_categories=2,
    )


def old_table():
    return table(
        OLD, {b"a": b"x", b"b": b"y", b"c": b"y"}, {b"a": [b"news"], b"b": [b"drama"]}
    )


def new_table():
    creator = {b"a": b"x", b"c": b"y", b"d": b"z", b"e": b"x"}
    return table(NEW, creator, {b"a": [b"news"]})


def config(**changes):
    """The settings that `two_towers.make_model` builds with."""
    model = {
        "query_tower": "gru",
        "embedding_dim": 8,
        "hidden_dim": 12,
        "num_layers": 2,
        "num_heads": 3,
        **changes,
    }
    feedback = model.pop("feedback", two_towers.FEEDBACK)
    return trainer_config.TrainerConfig(
        feedback=feedback,
        history=settings.HistorySettings(),
        model=settings.ModelSettings(**model),
        train=settings.TrainSettings(),
        control_action="view",
        control_value=1.0,
    )


@pytest.fixture
def record(tmp_path):
    """A base model with other weights than any new one, and its record."""
    base = two_towers.make_model(table=old_table())
    for variable in base.trainable_weights:
        variable.assign_add(tf.random.stateless_normal(variable.shape, [4, 2]))
    path = str(tmp_path / "warm_start" / "record")
    warm_start.write(path, base, OLD, config())
    return base, path


def test_rows_follow_their_strings():
    old = np.array([[9, 9], [1, 1], [2, 2], [3, 3]], np.float32)

    rows = warm_start.carry_rows(
        old, [b"a", b"b", b"c"], [b"c", b"d", b"a"], np.array([7.0, 8.0])
    )

    assert rows.tolist() == [[9, 9], [3, 3], [7, 8], [1, 1]]


def test_new_model_embeds_every_candidate_as_the_base_model_did(record):
    base, path = record
    new = two_towers.make_model(table=new_table())

    told = warm_start.start_from(path, new, NEW, config())

    before = base.candidate_tower.embed_all().numpy()
    ids = base.candidate_tower.trainable_variables[0].numpy()
    creators = base.candidate_tower.trainable_variables[1].numpy()
    expected = [
        before[2],  # c
        ids[0],  # d: unknown, and its creator too
        before[0],  # a
        ids[0] + creators[1],  # e: unknown, by the known creator x
    ]
    found = new.candidate_tower.embed_all().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert told == {
        "item": {"carried": 2, "new": 2, "dropped": 1},
        "creator": {"carried": 2, "new": 1, "dropped": 0},
        "category": {"carried": 1, "new": 0, "dropped": 1},
        "attribute": {"carried": 0, "new": 0, "dropped": 0},
    }


def test_other_inputs_of_the_candidate_tower_are_refused(record):
    _, path = record
    new = two_towers.make_model(
        table=new_table(), towers={"candidate_features": ("creator",)}
    )

    with pytest.raises(errors.InputError, match=r"candidate_features.*set it back"):
        warm_start.start_from(path, new, NEW, config(candidate_features=("creator",)))


def test_new_model_answers_a_history_as_the_base_model_did(record):
    """Items a and c: rows 0 and 2 before, rows 2 and 0 now."""
    base, path = record
    new = two_towers.make_model(table=new_table())
    warm_start.start_from(path, new, NEW, config())

    def answer(two_tower, rows):
        history = [(row, "view", 1.0, 0.0) for row in rows]
        return two_towers.embeddings(
            two_tower, two_towers.make_batch([history]), num_rows=3
        )

    np.testing.assert_allclose(
        answer(new, [2, 0]), answer(base, [0, 2]), rtol=1e-4, atol=1e-6
    )


def test_unchanged_vocabulary_gives_the_same_weights(record):
    base, path = record
    again = two_towers.make_model(table=old_table())

    warm_start.start_from(path, again, OLD, config())

    for one, other in zip(base.trainable_weights, again.trainable_weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def with_terms(**weights):
    """A model whose terms for dislikes have their weights; a first loss makes them."""
    made = two_towers.make_model(table=old_table(), **weights)
    made.compute_loss(two_towers.make_batch([[(0, "dislike", None, 0.0)]]))
    return made


def term_weights(two_tower):
    return [v.numpy() for v in two_tower.consumption_query.trainable_variables]


def test_terms_for_dislikes_go_on_where_they_were(tmp_path):
    base = with_terms(consumption_weight=1.0)
    for variable in base.trainable_weights:
        variable.assign_add(tf.random.stateless_normal(variable.shape, [4, 2]))
    warm_start.write(str(tmp_path / "record"), base, OLD, config())
    again = with_terms(consumption_weight=1.0)

    warm_start.start_from(str(tmp_path / "record"), again, OLD, config())

    for one, other in zip(term_weights(base), term_weights(again), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(term_weights(again)) == 2


def test_terms_that_the_base_model_lacks_start_afresh(record):
    new = with_terms(consumption_weight=1.0)
    before = term_weights(new)

    warm_start.start_from(record[1], new, OLD, config())

    for one, other in zip(before, term_weights(new), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("made", "changes", "sentence"),
    [
        ({"num_layers": 1}, {}, "of the base model has the shape"),
        ({"num_layers": 3}, {}, r"query_tower.*\(.*\).*of this configuration"),
        ({}, {"query_tower": "transformer"}, r"`model\.query_tower` = gru"),
    ],
)
def test_another_query_tower_is_refused_and_left_as_it_was(
    record, made, changes, sentence
):
    other = two_towers.make_model(table=new_table(), **made)
    before = [v.numpy() for v in other.trainable_weights]

    with pytest.raises(errors.InputError, match=sentence):
        warm_start.start_from(record[1], other, NEW, config(**changes))

    for variable, value in zip(other.trainable_weights, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_another_width_of_an_embedding_is_refused(record, tmp_path):
    path = str(tmp_path / "narrow")
    base, _ = record
    reader = tf.train.load_checkpoint(record[1])
    tensors = {
        name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
    }
    tensors["candidate_tower/id_embedding"] = tensors["candidate_tower/id_embedding"][
        :, :4
    ]
    tf.raw_ops.SaveV2(
        prefix=path,
        tensor_names=list(tensors),
        shape_and_slices=[""] * len(tensors),
        tensors=[tf.convert_to_tensor(t) for t in tensors.values()],
    )

    with pytest.raises(errors.InputError, match=r"item embedding.*\(4,\).*\(8,\)"):
        warm_start.start_from(path, base, OLD, config())


def test_actions_of_another_meaning_are_refused(record):
    """As many actions, so every shape agrees; but the columns mean other things."""
    actions = dict(two_towers.FEEDBACK.actions)
    actions["share"] = actions.pop("view")
    feedback = settings.FeedbackSettings(actions=actions)
    other = two_towers.make_model(table=new_table())

    with pytest.raises(errors.InputError, match=r"`feedback\.actions`.*share"):
        warm_start.start_from(record[1], other, NEW, config(feedback=feedback))


def test_model_without_a_record_is_named(tmp_path):
    two_tower = two_towers.make_model(table=new_table())

    with pytest.raises(errors.InputError, match=r"no weights.*train\.warm_start=false"):
        warm_start.start_from(str(tmp_path / "none"), two_tower, NEW, config())
