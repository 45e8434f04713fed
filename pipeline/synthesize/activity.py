"""How many events each user has, and when the user is there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.synthesize import draws
from pipeline.synthesize.settings import (
    HEAVY_USERS_MAX_SHARE_OF_EVENTS,
    SynthesisSettings,
)

EXPOSURE_GAP_MS = 30_000


def events_per_user(settings: SynthesisSettings) -> NDArray[np.int64]:
    """Returns the planned events of each user: [users] int64, `min_events` at least.

    The sum is `settings.events` exactly: shares of a log-normal weight, rounded down,
    and the remainder to the largest fractions.
    """
    heavy, size = _heavy_users(settings)
    counts = np.full(settings.users, size, np.int64)
    regular = np.setdiff1d(np.arange(settings.users), heavy, assume_unique=True)
    least = settings.min_events
    if regular.size == 0:
        return _apportion(np.ones(settings.users), settings.events, least)
    bits = draws.draw(draws.stream(settings.seed, "activity"), regular)
    weight = np.exp(draws.normal(bits).astype(np.float64) * settings.activity_spread)
    counts[regular] = _apportion(weight, settings.events - size * heavy.size, least)
    return counts


def _heavy_users(settings: SynthesisSettings) -> tuple[NDArray[np.int64], int]:
    """Returns which users are heavy, spread evenly, and the events of each."""
    count = round(settings.users * settings.heavy_user_share)
    if count == 0:
        return np.empty(0, np.int64), 0
    fair = int(settings.events * HEAVY_USERS_MAX_SHARE_OF_EVENTS) // count
    # Everybody else still needs some events.
    least = settings.min_events
    spare = (settings.events - least * (settings.users - count)) // count
    size = max(least, min(settings.heavy_user_events, fair, spare))
    return ((np.arange(count) + 0.5) * settings.users / count).astype(np.int64), size


def _apportion(
    weight: NDArray[np.float64], total: int, least: int
) -> NDArray[np.int64]:
    """Returns whole numbers of at least `least` that sum to `total`, by weight."""
    ideal = (total - least * weight.size) * weight / weight.sum()
    counts: NDArray[np.int64] = least + np.floor(ideal).astype(np.int64)
    missing = total - int(counts.sum())
    # Stable, so that equal fractions are settled by the user's number.
    order = np.argsort(-(ideal - np.floor(ideal)), kind="stable")
    counts[order[:missing]] += 1
    return counts


def exposure_time_ms(
    settings: SynthesisSettings,
    user_key: NDArray[np.uint64],
    num_events: NDArray[np.int64],
    step: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Returns when exposures happen, strictly ascending in a user's steps.

    A user's sessions divide the span evenly and begin in the first half of their
    part; exposures follow each other half a minute apart, or closer where sessions
    are crowded.

    Args:
      settings: of the log.
      user_key: [n] uint64.
      num_events: [n] planned events of the user, hence the most exposures.
      step: [n] number of the user's exposure, from 0.

    Returns:
      [n] int64, milliseconds UTC, inside the span.
    """
    length = settings.session_length
    session, within = np.divmod(step, length)
    part_ms = settings.span_ms / -(-num_events // length)
    gap_ms = np.minimum(EXPOSURE_GAP_MS, part_ms / (2 * length))
    delay = draws.uniform(draws.draw(user_key ^ draws.stream(0, "session"), session))
    jitter = draws.uniform(draws.draw(user_key ^ draws.stream(0, "jitter"), step))
    # A jitter of at most half a gap keeps neighbours half a gap (2 ms or more) apart.
    elapsed = part_ms * (session + delay / 2) + gap_ms * (within + jitter / 2)
    time_ms: NDArray[np.int64] = settings.start_time_ms + elapsed.astype(np.int64)
    return time_ms
