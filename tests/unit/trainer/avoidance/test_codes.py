"""Codes against the published hash, in Python's own integers."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.trainer.avoidance import codes as avoidance_codes

_32_BITS = 0xFFFFFFFF


def finalised(number):
    """fmix32 of MurmurHash3, as its author gives it."""
    number ^= number >> 16
    number = number * 0x85EBCA6B & _32_BITS
    number ^= number >> 13
    number = number * 0xC2B2AE35 & _32_BITS
    return number ^ number >> 16


def code(key, dim, salt):
    numbers = [(key * dim + place) & _32_BITS for place in range(dim)]
    bits = [finalised(finalised(number) ^ salt) & 1 for number in numbers]
    return np.array([(1 - 2 * bit) / dim**0.5 for bit in bits])


def found(key, dim=32, salt=1):
    return avoidance_codes.codes(tf.constant(key, tf.int32), dim, salt).numpy()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(1, 40), st.integers(1, 3))
def test_each_bit_is_that_of_the_hash(key, dim, salt):
    np.testing.assert_allclose(found([key], dim, salt)[0], code(key, dim, salt))


def test_a_key_has_length_1_and_none_has_no_code():
    np.testing.assert_allclose(
        np.linalg.norm(found([[0, 5], [-1, 9]]), axis=-1), [[1, 1], [0, 1]], rtol=1e-6
    )


@pytest.mark.parametrize(("one", "other"), [(1, 1), (1, 2)])
def test_different_sets_hardly_resemble_each_other(one, other):
    """Products of independent signs: mean 0, deviation 1 / sqrt(32) = .177."""
    first, second = (
        found(np.arange(1_000), salt=one),
        found(np.arange(1_000), salt=other),
    )
    product = first @ second.T
    if one == other:
        product = product[~np.eye(1_000, dtype=bool)]

    assert abs(product.mean()) < 0.005
    assert product.std() == pytest.approx(32**-0.5, rel=0.03)
    assert product.max() < 1.0


def test_of_all_is_of_every_row_in_pieces(monkeypatch):
    monkeypatch.setattr(avoidance_codes, "_AT_ONCE", 4)
    key = np.stack([np.arange(10) // 2, np.arange(10) % 3 - 1], axis=1).astype(np.int32)
    layer = avoidance_codes.AvoidanceCodes(key, 8)
    # Codes of one creator and one category set are added, and shortened.
    expected = [
        0.1 * (code(int(creator), 8, 1) + (code(int(kind), 8, 2) if kind >= 0 else 0.0))
        for creator, kind in key
    ]

    np.testing.assert_allclose(layer.of_all(), expected, rtol=1e-6)
