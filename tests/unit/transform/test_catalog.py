"""The words of a title, in plain TensorFlow."""

import tensorflow as tf

from components.transform import catalog


def rows(titles):
    """The hashes of each item's title; None: it has none."""
    sparse = tf.RaggedTensor.from_row_lengths(
        tf.constant([t for t in titles if t is not None], tf.string),
        [int(t is not None) for t in titles],
    ).to_sparse()
    found = catalog.title_tokens(sparse)
    return tf.RaggedTensor.from_sparse(found).to_list()


def test_words_are_the_same_whatever_their_case_and_marks():
    plain, marked = rows(["toy story 1995", "Toy -- STORY, (1995)!"])

    assert plain == marked
    assert len(set(plain)) == 3
    assert all(0 <= token < 2**31 for token in plain)


def test_letters_of_any_language_are_letters():
    ((first, second), (upper,)) = rows(["ÜBER straße", "über"])

    assert first == upper != second


def test_a_word_keeps_its_hash_from_run_to_run():
    """Farmhash64("story") % 2**31; a trained embedding would lose its words."""
    ((token,),) = rows(["story"])

    assert token == int(tf.strings.to_hash_bucket_fast("story", 2**31))


def test_items_without_words_have_no_token():
    assert rows(["a b", None, "...", "c"])[1:3] == [[], []]
    assert rows([None, None]) == [[], []]
