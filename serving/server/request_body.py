"""Reads the body of an HTTP request: in time, of bounded size, and decompressed."""

from __future__ import annotations

import asyncio
import zlib

from aiohttp import web

from schema import settings
from serving.bundle import faults
from serving.server import bulk

# Of zlib: gzip or zlib, whichever the header says.
_ANY_HEADER = 32 + zlib.MAX_WBITS


class BodyError(faults.RequestError):
    """A body that cannot be read; the connection is of no further use.

    Attributes:
      http_status: Says it more exactly than the code does.
    """

    def __init__(self, http_status: int, message: str) -> None:
        super().__init__("INVALID_ARGUMENT", message)
        self.http_status = http_status


async def read(request: web.Request, limits: settings.ServingSettings) -> bytes:
    """Returns the body.

    Raises:
      BodyError: It is too slow, too large, broken off, or not compressed as it says.
    """
    timeout_sec, most = limits.read_timeout_sec, limits.max_body_bytes
    try:
        body = await asyncio.wait_for(request.read(), timeout_sec)
    except asyncio.TimeoutError as error:
        raise BodyError(
            408, f"the request body did not arrive within {timeout_sec:g} s"
        ) from error
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_large(most) from error
    except web.RequestPayloadError as error:
        raise BodyError(400, f"the request body cannot be read: {error}") from error
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise BodyError(
            415, f'Content-Encoding must be gzip, deflate or none; got "{encoding}"'
        )
    return await bulk.run(lambda: _decompress(body, encoding, most), len(body))


def _decompress(body: bytes, encoding: str, max_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(_ANY_HEADER)
    try:
        unpacked = unpacker.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise BodyError(
            400, f"the request body is not {encoding}, as its header says: {error}"
        ) from error
    if len(unpacked) > max_bytes:
        raise _too_large(max_bytes)
    if not unpacker.eof or unpacker.unused_data:
        raise BodyError(400, f"the request body is not one whole {encoding} stream")
    return unpacked


def _too_large(max_bytes: int) -> BodyError:
    return BodyError(
        413, f"the request body may hold at most {max_bytes} bytes: split the request"
    )
