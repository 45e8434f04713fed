"""What a caller who knows nothing of the server learns from it by reflection."""

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

SERVICES = {
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1alpha.ServerReflection",
}


@pytest.fixture
def ask(server):
    with grpc.insecure_channel(server.grpc) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)

        def answer(**question):
            request = reflection_pb2.ServerReflectionRequest(**question)
            return next(stub.ServerReflectionInfo(iter([request]), timeout=30))

        yield answer


def test_services_are_listed(ask):
    listed = ask(list_services="").list_services_response.service
    assert {one.name for one in listed} == SERVICES


def read_files(ask, symbol):
    """Returns every file that describes a symbol, those that it imports included."""
    answer = ask(file_containing_symbol=symbol)
    assert not answer.HasField("error_response"), answer.error_response
    waiting = list(answer.file_descriptor_response.file_descriptor_proto)
    found = {}
    while waiting:
        file = descriptor_pb2.FileDescriptorProto.FromString(waiting.pop())
        found[file.name] = file
        for name in set(file.dependency) - set(found):
            answer = ask(file_by_filename=name)
            waiting += answer.file_descriptor_response.file_descriptor_proto
    return found


@pytest.mark.parametrize(
    ("service", "methods"),
    [
        ("tensorflow.serving.PredictionService", {"Predict", "GetModelMetadata"}),
        ("tensorflow.serving.ModelService", {"GetModelStatus"}),
        ("grpc.health.v1.Health", {"Check", "Watch"}),
    ],
)
def test_a_service_is_described_to_its_last_message(ask, service, methods):
    files = read_files(ask, service)
    # A pool of its own takes no file before those that it imports.
    pool = descriptor_pool.DescriptorPool()
    while files:
        ready = [f for f in files.values() if not set(f.dependency) & set(files)]
        assert ready, f"{sorted(files)} import each other"
        for file in ready:
            pool.AddSerializedFile(files.pop(file.name).SerializeToString())
    described = pool.FindServiceByName(service)
    assert methods <= set(described.methods_by_name)


def test_the_health_protocol_is_the_public_one(ask):
    # https://github.com/grpc/grpc/blob/master/doc/health-checking.md
    (file,) = read_files(ask, "grpc.health.v1.Health").values()
    request, answer = file.message_type
    assert [(f.name, f.number) for f in request.field] == [("service", 1)]
    assert [(f.name, f.number) for f in answer.field] == [("status", 1)]
    assert [(v.name, v.number) for v in answer.enum_type[0].value] == [
        ("UNKNOWN", 0),
        ("SERVING", 1),
        ("NOT_SERVING", 2),
        ("SERVICE_UNKNOWN", 3),
    ]
    assert [m.server_streaming for m in file.service[0].method] == [False, True]


def test_what_there_is_not(ask):
    answer = ask(file_containing_symbol="tensorflow.serving.Nothing")
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
