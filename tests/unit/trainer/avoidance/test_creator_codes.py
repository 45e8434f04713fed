"""Creator codes against the published hash, in Python's own integers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from components.trainer.avoidance import creator_codes

_32_BITS = 0xFFFFFFFF


def finalised(number):
    """fmix32 of MurmurHash3, as its author gives it."""
    number ^= number >> 16
    number = number * 0x85EBCA6B & _32_BITS
    number ^= number >> 13
    number = number * 0xC2B2AE35 & _32_BITS
    return number ^ number >> 16


def code(key, dim):
    numbers = [(key * dim + place) & _32_BITS for place in range(dim)]
    bits = [finalised(finalised(number) ^ 1) & 1 for number in numbers]
    return np.array([(1 - 2 * bit) / dim**0.5 for bit in bits])


def found(key, dim=32):
    return creator_codes.codes(np.array(key, np.int32), dim)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2**31 - 1), st.integers(1, 40))
def test_each_bit_is_that_of_the_hash(key, dim):
    np.testing.assert_allclose(found([key], dim)[0], code(key, dim), rtol=1e-6)


def test_a_creator_has_length_1_and_none_has_no_code():
    np.testing.assert_allclose(
        np.linalg.norm(found([1, 5, 0, 9]), axis=-1), [1, 1, 0, 1], rtol=1e-6
    )


def test_different_creators_hardly_resemble_each_other():
    """Products of independent signs: mean 0, deviation 1 / sqrt(32) = .177."""
    drawn = found(np.arange(1, 1_001))
    product = (drawn @ drawn.T)[~np.eye(1_000, dtype=bool)]

    assert abs(product.mean()) < 0.005
    assert abs(product.std() - 32**-0.5) < 0.005
    assert product.max() < 1.0
