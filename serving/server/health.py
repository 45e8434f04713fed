"""The health protocol of gRPC (`grpc.health.v1.Health`), which probes ask.

A request holds one text and an answer one number, each in field 1. That is how
protobuf's own wrappers are written on the wire, so no message is declared here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any

import grpc
from google.protobuf import wrappers_pb2

from serving.server import endpoint

SERVICE = "grpc.health.v1.Health"
SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3
_WATCH_INTERVAL_SEC = 0.2


class Health:
    """Serving while a version is in service and the server is not about to stop."""

    def __init__(self, answers: endpoint.Endpoint, services: Collection[str]) -> None:
        """Takes the names of the other services; "" is the whole server."""
        self._answers = answers
        self._services = {"", *services}

    def handler(self) -> grpc.GenericRpcHandler:
        """Returns what a server adds as a generic handler."""
        options = {
            "request_deserializer": wrappers_pb2.StringValue.FromString,
            "response_serializer": wrappers_pb2.UInt32Value.SerializeToString,
        }
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Check": grpc.unary_unary_rpc_method_handler(self.check, **options),
                "Watch": grpc.unary_stream_rpc_method_handler(self.watch, **options),
            },
        )

    def _status(self) -> int:
        version = self._answers.models.current_version
        ready = version is not None and not self._answers.is_draining
        return SERVING if ready else NOT_SERVING

    async def check(self, request: Any, context: grpc.aio.ServicerContext) -> Any:
        """Answers with the status; NOT_FOUND for a service that there is not."""
        if request.value not in self._services:
            await context.abort(
                grpc.StatusCode.NOT_FOUND, f'there is no service "{request.value}"'
            )
        return wrappers_pb2.UInt32Value(value=self._status())

    async def watch(
        self, request: Any, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[Any]:
        """Yields the status now and whenever it changes, until the server stops."""
        told = None
        while True:
            known = request.value in self._services
            status = self._status() if known else SERVICE_UNKNOWN
            if status != told:
                told = status
                yield wrappers_pb2.UInt32Value(value=status)
            if self._answers.is_draining:
                # An open stream would keep the server from stopping.
                return
            await asyncio.sleep(_WATCH_INTERVAL_SEC)
