"""Server reflection (`grpc.reflection.v1alpha`), which grpcurl asks first."""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Collection

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool

from serving.server import health

log = logging.getLogger(__name__)

_HEALTH_FILE = "grpc/health/v1/health.proto"
_SERVING_FILES = {
    "prediction_service_pb2": "PredictionService",
    "model_service_pb2": "ModelService",
}
"""Module to the service that it adds."""
_FIELD = descriptor_pb2.FieldDescriptorProto


def enable(server: grpc.aio.Server, services: Collection[str]) -> None:
    """Has a server tell its services and their messages.

    Args:
      server: not yet started.
      services: full names, the health protocol's among them.
    """
    try:
        from grpc_reflection.v1alpha import reflection
    except ImportError:
        # The locked sets and the wheel have it; an older environment serves without.
        log.warning("no gRPC reflection: the package grpcio-reflection is missing")
        return
    pool = descriptor_pool.Default()
    _declare_serving(pool)
    _declare_health(pool)
    names = (*services, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server, pool)


def _declare_serving(pool: descriptor_pool.DescriptorPool) -> None:
    """Adds TensorFlow Serving's services, of which the stubs need the messages alone.

    Raises:
      KeyError: A service is not in the pool.
    """
    for module, service in _SERVING_FILES.items():
        # Code of an old generator adds its file to the pool, and then sets what
        # protobuf 5 and later do not let anybody set.
        with contextlib.suppress(AttributeError):
            importlib.import_module(f"tensorflow_serving.apis.{module}")
        pool.FindServiceByName(f"tensorflow.serving.{service}")


def _declare_health(pool: descriptor_pool.DescriptorPool) -> None:
    """Adds the health protocol, which `health` speaks without generated code."""
    try:
        pool.FindFileByName(_HEALTH_FILE)
        return
    except KeyError:
        pass
    file = descriptor_pb2.FileDescriptorProto(
        name=_HEALTH_FILE, package="grpc.health.v1", syntax="proto3"
    )
    request = file.message_type.add(name="HealthCheckRequest")
    request.field.add(
        name="service",
        number=1,
        type=_FIELD.TYPE_STRING,
        label=_FIELD.LABEL_OPTIONAL,
    )
    answer = file.message_type.add(name="HealthCheckResponse")
    status = answer.enum_type.add(name="ServingStatus")
    for number, name in (
        (0, "UNKNOWN"),
        (health.SERVING, "SERVING"),
        (health.NOT_SERVING, "NOT_SERVING"),
        (health.SERVICE_UNKNOWN, "SERVICE_UNKNOWN"),
    ):
        status.value.add(name=name, number=number)
    answer.field.add(
        name="status",
        number=1,
        type=_FIELD.TYPE_ENUM,
        type_name=".grpc.health.v1.HealthCheckResponse.ServingStatus",
        label=_FIELD.LABEL_OPTIONAL,
    )
    service = file.service.add(name=health.SERVICE.rpartition(".")[2])
    for name, is_stream in (("Check", False), ("Watch", True)):
        service.method.add(
            name=name,
            input_type=".grpc.health.v1.HealthCheckRequest",
            output_type=".grpc.health.v1.HealthCheckResponse",
            server_streaming=is_stream,
        )
    pool.AddSerializedFile(file.SerializeToString())
