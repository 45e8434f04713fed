import numpy as np
import pytest

from pipeline.synthesize import draws


def test_draws_are_the_published_splitmix64_sequence():
    # The reference sequence for seed 1234567, as other implementations print it.
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    key = np.array([1234567], np.uint64)
    assert draws.draw(key, np.arange(5)).tolist() == expected


def test_streams_differ_by_seed_and_by_purpose():
    keys = {int(draws.stream(s, p)[0]) for s in (1, 2) for p in ("taste", "heed")}
    assert len(keys) == 4


def test_uniform_takes_its_ends_from_the_bits():
    ends = draws.uniform(np.array([0, 2**63, 2**64 - 1], np.uint64))
    assert ends.tolist() == [0.0, 0.5, 1 - 2.0**-53]


def test_gumbel_and_normal_are_finite_at_extreme_bits():
    extremes = np.array([0, 2**23 - 1, 2**32 - 1, 2**64 - 1], np.uint64)
    assert np.isfinite(draws.gumbel(extremes)).all()
    assert np.isfinite(draws.normal(extremes)).all()


@pytest.mark.parametrize(
    ("function", "mean", "variance"),
    [
        (draws.uniform, 1 / 2, 1 / 12),
        (draws.normal, 0.0, 1.0),
        (draws.gumbel, np.euler_gamma, np.pi**2 / 6),
    ],
)
def test_moments_are_those_of_the_distribution(function, mean, variance):
    size = 400_000
    values = function(draws.draw(draws.stream(3, "moments"), np.arange(size)))
    # Five standard errors of the mean; 2 % of the variance is as many for Gumbel.
    assert abs(values.mean() - mean) < 5 * np.sqrt(variance / size)
    assert abs(values.var() / variance - 1) < 0.02


def test_neighbouring_users_and_steps_are_uncorrelated():
    key = draws.draw(draws.stream(3, "user"), np.arange(2_000))
    values = draws.uniform(draws.draw(key[:, None], np.arange(100)[None, :]))
    by_step = np.corrcoef(values[:, :-1].ravel(), values[:, 1:].ravel())[0, 1]
    by_user = np.corrcoef(values[:-1].ravel(), values[1:].ravel())[0, 1]
    assert max(abs(by_step), abs(by_user)) < 5 / np.sqrt(values.size)
