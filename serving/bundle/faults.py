"""What may go wrong with one request, apart from the protocol that carried it."""

from __future__ import annotations

from typing import Literal

FaultCode = Literal[
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "UNAVAILABLE",
    "UNIMPLEMENTED",
    "INTERNAL",
]
"""The gRPC status names that the server uses; REST maps them to HTTP codes."""


class RequestError(ValueError):
    """A request that cannot be answered; `code` says whose fault it is.

    Attributes:
      code: A gRPC status name. INVALID_ARGUMENT and NOT_FOUND are the caller's fault
        and are not worth a retry; UNAVAILABLE is.
    """

    def __init__(self, code: FaultCode, message: str) -> None:
        super().__init__(message)
        self.code: FaultCode = code


def invalid(message: str) -> RequestError:
    """Returns the error for a request that no retry can help."""
    return RequestError("INVALID_ARGUMENT", message)
