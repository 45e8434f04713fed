"""Callers who hurt, as a process of its own, until it is ended.

python -m benchmarks.serving.bad_callers slow|huge|half_open HOST:REST_PORT NUMBER
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys

HUGE_HISTORY = 100_000
_DRIP_SEC = 0.5
_HEAD = (
    b"POST /v1/models/heed:predict HTTP/1.1\r\nHost: heed\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


def huge_body(length: int = HUGE_HISTORY) -> bytes:
    """Returns a legal request of one user with a very long history."""
    columns = {
        "history_item_id": [[f"item-{n % 10_000}" for n in range(length)]],
        "history_action": [["view"] * length],
        "history_timestamp": [list(range(length))],
        "history_value": [[1.0] * length],
        "exclude_item_id": [[]],
        "k": [100],
    }
    return json.dumps({"inputs": columns}).encode()


async def slow(host: str, port: int) -> None:
    """Sends a request byte by byte."""
    _, writer = await asyncio.open_connection(host, port)
    for byte in _HEAD % 1_000 + b" " * 1_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(_DRIP_SEC)


async def huge(host: str, port: int) -> None:
    """Sends long histories one after the other."""
    body = huge_body()
    while True:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(
            _HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") % len(body)
        )
        writer.write(body)
        await writer.drain()
        await reader.read()
        writer.close()


async def half_open(host: str, port: int) -> None:
    """Opens a connection and says nothing."""
    reader, _ = await asyncio.open_connection(host, port)
    await reader.read()


KINDS = {"slow": slow, "huge": huge, "half_open": half_open}


async def _again(kind: str, host: str, port: int) -> None:
    while True:
        # The server closes them: that is what it should do.
        with contextlib.suppress(OSError):
            await KINDS[kind](host, port)
        await asyncio.sleep(0.05)


async def _run(kind: str, target: str, number: int) -> None:
    host, _, port = target.rpartition(":")
    await asyncio.gather(*(_again(kind, host, int(port)) for _ in range(number)))


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
