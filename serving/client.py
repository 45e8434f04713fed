"""A typed client of the retrieval endpoint, over gRPC or REST.

Speaks TensorFlow Serving's API, so it works against the embedded server and against
TensorFlow Serving alike. It imports neither TensorFlow nor its serving stubs.

Example:
  with client.RecommendClient("127.0.0.1:8500") as heed:
      slate = heed.recommend(
          [requests.Event("item-7", "dislike", 1_700_000_000_000)], k=10)
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Literal

from serving import requests, transports
from serving.bundle import signature, wishes

ServingError = transports.ServingError
_NOTHING = wishes.Wishes()


class RecommendClient:
    """Asks for slates; safe to share between threads."""

    def __init__(
        self,
        target: str,
        *,
        protocol: Literal["grpc", "rest"] = "grpc",
        model_name: str = signature.DEFAULT_MODEL_NAME,
        signature_name: str = signature.DEFAULT_SIGNATURE,
        version: int | None = None,
        label: str = "",
        deadline_sec: float = 1.0,
        max_attempts: int = 4,
        first_backoff_ms: float = 25.0,
        max_length: int | None = None,
        transport: transports.Transport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepares a connection; nothing is sent yet.

        Args:
          target: `HOST:PORT` of the chosen protocol.
          protocol: How to talk.
          model_name: As the server calls it.
          signature_name: Which callable of the model `recommend` asks.
          version: One version of the model; None: the newest.
          label: A version label, such as `stable`, in place of `version`.
          deadline_sec: Time for one answer, with all attempts and waits.
          max_attempts: Tries while the server is UNAVAILABLE, the first included.
          first_backoff_ms: Mean wait before the second attempt; it doubles each time,
            and varies by half so that many clients do not return in step.
          max_length: Sends the newest so many exposures; None sends all.
          transport: Replaces the protocol, for tests.
          sleep: Replaces the waiting, for tests.

        Raises:
          ValueError: An argument is out of range.
        """
        if deadline_sec <= 0 or max_attempts < 1:
            raise ValueError(
                "`deadline_sec` must be above 0 and `max_attempts` at least 1; got "
                f"{deadline_sec} and {max_attempts}"
            )
        if version is not None and label:
            raise ValueError(
                f"give `version` or `label`, not both; got {version} and {label!r}"
            )
        self._signature_name = signature_name
        self._deadline_sec = deadline_sec
        self._max_attempts = max_attempts
        self._first_backoff_ms = first_backoff_ms
        self._max_length = max_length
        self._sleep = sleep
        self._random = random.Random()
        if transport is None:
            transport = transports.connect(protocol, target, model_name, version, label)
        self._transport = transport

    def recommend(
        self,
        history: Sequence[requests.Event],
        *,
        k: int = 10,
        exclude: Sequence[str] = (),
        user_control: float | None = None,
        most_of_creator: int = 0,
        most_of_category: int = 0,
        deadline_sec: float | None = None,
    ) -> list[requests.Recommendation]:
        """Returns at most `k` items for one user, best first.

        Args:
          history: The user's events, in any order; empty for a new user.
          k: Items wanted.
          exclude: Items that must not be returned.
          user_control: How far dislikes are answered, 0 to 2; None: as the model is
            served.
          most_of_creator: Items of one creator; 0: any number.
          most_of_category: Items of one category; 0: any number.
          deadline_sec: Replaces the client's deadline for this call.

        Raises:
          InputError: The arguments make no valid request.
          ServingError: The endpoint refused, or did not answer in time.
        """
        return self.recommend_many(
            [history],
            k=k,
            exclude=[exclude],
            wished=wishes.Wishes(user_control, most_of_creator, most_of_category),
            deadline_sec=deadline_sec,
        )[0]

    def recommend_many(
        self,
        histories: Sequence[Sequence[requests.Event]],
        *,
        k: int | Sequence[int] = 10,
        exclude: Sequence[Sequence[str]] | None = None,
        wished: wishes.Wishes = _NOTHING,
        deadline_sec: float | None = None,
    ) -> list[list[requests.Recommendation]]:
        """Returns one slate a history, in one request; see `recommend`."""
        inputs = requests.build_inputs(
            histories, k=k, exclude=exclude, max_length=self._max_length
        )
        inputs |= wished.inputs(len(histories))
        asked = None if wished == _NOTHING else wished.signature_name()
        return requests.parse_outputs(self.predict(inputs, deadline_sec, asked))

    def similar(
        self,
        items: Sequence[str],
        *,
        k: int = 10,
        exclude: Sequence[str] = (),
        deadline_sec: float | None = None,
    ) -> list[requests.Recommendation]:
        """Returns at most `k` items that are most like the given ones together.

        Args:
          items: Item ids, at least one; none of them is returned.
          k: Items wanted.
          exclude: Further items that must not be returned.
          deadline_sec: Replaces the client's deadline for this call.

        Raises:
          InputError: The arguments make no valid request.
          ServingError: The endpoint refused, or did not answer in time.
        """
        inputs = requests.build_similar_inputs([items], k=k, exclude=[exclude])
        outputs = self.predict(inputs, deadline_sec, signature.SIMILAR_SIGNATURE)
        return requests.parse_outputs(outputs)[0]

    def predict(
        self,
        inputs: signature.Tensors,
        deadline_sec: float | None = None,
        signature_name: str | None = None,
    ) -> signature.Tensors:
        """Returns the raw outputs for raw inputs; retries while UNAVAILABLE.

        Args:
          inputs: Arrays by input name.
          deadline_sec: Replaces the client's deadline for this call.
          signature_name: Replaces the client's signature for this call.
        """
        asked = signature_name or self._signature_name
        deadline = time.monotonic() + (deadline_sec or self._deadline_sec)
        backoff_ms = self._first_backoff_ms
        for attempt in range(1, self._max_attempts + 1):
            remaining_sec = deadline - time.monotonic()
            if remaining_sec <= 0:
                raise ServingError(
                    "DEADLINE_EXCEEDED", f"no answer after {attempt - 1} attempts"
                )
            try:
                return self._transport.predict(inputs, remaining_sec, asked)
            except ServingError as error:
                last = attempt == self._max_attempts
                wait_sec = backoff_ms * self._random.uniform(0.5, 1.5) / 1_000
                too_late = time.monotonic() + wait_sec >= deadline
                if error.code != "UNAVAILABLE" or last or too_late:
                    raise
            self._sleep(wait_sec)
            backoff_ms *= 2
        raise AssertionError("unreachable: the last attempt returns or raises")

    def close(self) -> None:
        """Closes the connection."""
        self._transport.close()

    def __enter__(self) -> RecommendClient:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
