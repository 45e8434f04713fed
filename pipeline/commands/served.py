"""Commands that serve a pushed model."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands import shell

if TYPE_CHECKING:
    from schema import settings


ModelsOption = Annotated[
    pathlib.Path,
    typer.Option(
        "--models", "--model", help="Directory of versions, as TensorFlow Serving's."
    ),
]
RestPortOption = Annotated[int, typer.Option("--rest-port", help="0: any free.")]
GrpcPortOption = Annotated[int, typer.Option("--grpc-port", help="0: any free.")]
HostOption = Annotated[str, typer.Option("--host", help="Address to listen on.")]


@shell.app.command(
    epilog="Example: heed serve --models runs/sample/serving_models/heed "
    "--set serving.max_k=100"
)
def serve(
    models: ModelsOption,
    rest_port: RestPortOption = 8501,
    grpc_port: GrpcPortOption = 8500,
    host: HostOption = "127.0.0.1",
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Serve pushed models over TensorFlow Serving's REST and gRPC API."""
    with shell.clear_errors():
        chosen = shell.load(config, set_, reads=("serving",)).config.serving
        _serve(models, rest_port, grpc_port, host, chosen, explore=False)


@shell.app.command(
    epilog="Example: heed explore --models runs/sample/serving_models/heed"
)
def explore(
    models: ModelsOption,
    rest_port: RestPortOption = 8501,
    grpc_port: GrpcPortOption = 0,
    host: HostOption = "127.0.0.1",
    config: shell.ConfigOption = None,
    set_: shell.SetOption = None,
) -> None:
    """Serve the what-if page: dislike something and see what changes."""
    with shell.clear_errors():
        chosen = shell.load(config, set_, reads=("serving",)).config.serving
        _serve(models, rest_port, grpc_port, host, chosen, explore=True)


def _serve(
    models: pathlib.Path,
    rest_port: int,
    grpc_port: int,
    host: str,
    chosen: settings.ServingSettings,
    explore: bool,
) -> None:
    import logging

    from serving.server import server

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    server.serve(
        models,
        rest_port=rest_port,
        grpc_port=grpc_port,
        host=host,
        explore=explore,
        chosen=chosen,
    )
