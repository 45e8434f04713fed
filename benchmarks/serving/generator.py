"""Sends requests to a server and says how long each took; a process of its own.

Open loop: requests leave at the times of a Poisson process, whether or not those before
them were answered, and a latency counts from the time at which the request should have
left. So a server that stalls cannot hide it by holding the caller up. Closed loop: a
number of callers who each wait for their answer; it tells the highest rate.

python -m benchmarks.serving.generator grpc|rest HOST:PORT FOLDER --rate 50 --seconds 20
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import pathlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np

PREDICT = "/tensorflow.serving.PredictionService/Predict"
REST_PATH = "/v1/models/heed:predict"
TIMEOUT_SEC = 60.0
WARM_UP_SHARE = 0.2
"""Of the time; what is answered in it is not counted."""
Send = Callable[[bytes], Awaitable[bool]]
"""Sends one request; whether it was answered."""


def read(folder: pathlib.Path, protocol: str) -> list[bytes]:
    """Returns the requests that `bodies.write` wrote."""
    return [path.read_bytes() for path in sorted(folder.glob(f"*.{protocol}"))]


@contextlib.asynccontextmanager
async def connect(protocol: str, target: str) -> AsyncIterator[Send]:
    """Opens what requests are sent through; bytes go out and come in as they are."""
    if protocol == "grpc":
        import grpc

        options = (("grpc.max_receive_message_length", -1),)
        async with grpc.aio.insecure_channel(target, options=options) as channel:
            call = channel.unary_unary(PREDICT)

            async def send(body: bytes) -> bool:
                try:
                    await call(body, timeout=TIMEOUT_SEC)
                except grpc.RpcError:
                    return False
                return True

            yield send
        return
    import aiohttp

    headers = {"Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SEC)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), headers=headers, timeout=timeout
    ) as session:

        async def post(body: bytes) -> bool:
            try:
                address = f"http://{target}{REST_PATH}"
                async with session.post(address, data=body) as answer:
                    await answer.read()
                    return answer.status == 200
            except (aiohttp.ClientError, TimeoutError):
                return False

        yield post


def planned_sec(rate: float, seconds: float, seed: int = 3) -> np.ndarray:
    """Returns the times of a Poisson process, ascending from 0."""
    rng = np.random.default_rng(seed)
    number = round(rate * seconds)
    return np.cumsum(rng.exponential(1.0 / rate, number)) if number else np.zeros(0)


async def open_loop(
    send: Send, bodies: list[bytes], rate: float, seconds: float
) -> dict[str, Any]:
    """Returns the latencies at a rate, in requests a second."""
    planned = planned_sec(rate, seconds)
    took, lag = np.full(len(planned), np.nan), np.zeros(len(planned))
    failed = 0
    start = time.perf_counter() + 0.1

    async def one(number: int) -> None:
        nonlocal failed
        lag[number] = time.perf_counter() - start - planned[number]
        if await send(bodies[number % len(bodies)]):
            took[number] = time.perf_counter() - start - planned[number]
        else:
            failed += 1

    tasks = []
    for number, due in enumerate(planned):
        if (wait := start + due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    whole = time.perf_counter() - start
    counted = planned > WARM_UP_SHARE * seconds
    return {
        "rate": rate,
        # What cannot keep up is answered long after the last request has left.
        "answered_per_sec": round(float((~np.isnan(took)).sum() / whole), 1),
        "failed": failed,
        **quantiles(took[counted]),
        "left_late_p99_ms": _ms(np.quantile(lag[counted], 0.99)),
    }


async def closed_loop(
    send: Send, bodies: list[bytes], callers: int, seconds: float
) -> dict[str, Any]:
    """Returns the latencies of callers who wait for their answers."""
    took: list[float] = []
    failed = 0
    start = time.perf_counter()
    from_sec, until_sec = start + WARM_UP_SHARE * seconds, start + seconds
    turn = itertools.cycle(bodies)

    async def caller() -> None:
        nonlocal failed
        while (begun := time.perf_counter()) < until_sec:
            if not await send(next(turn)):
                failed += 1
            elif begun >= from_sec:
                took.append(time.perf_counter() - begun)

    await asyncio.gather(*(caller() for _ in range(callers)))
    return {
        "callers": callers,
        "answered_per_sec": round(len(took) / (time.perf_counter() - from_sec), 1),
        "failed": failed,
        **quantiles(np.array(took)),
    }


def quantiles(took_sec: np.ndarray) -> dict[str, Any]:
    """Returns number, p50 and p99 of latencies; NaN: not answered.

    Example:
      >>> quantiles(np.array([0.001, 0.002, 0.003, np.nan]))
      {'counted': 3, 'p50_ms': 2.0, 'p99_ms': 2.98}
    """
    known = took_sec[~np.isnan(took_sec)]
    if not len(known):
        return {"counted": 0, "p50_ms": None, "p99_ms": None}
    p50, p99 = np.quantile(known, (0.5, 0.99))
    return {"counted": len(known), "p50_ms": _ms(p50), "p99_ms": _ms(p99)}


def _ms(sec: float) -> float:
    return round(1_000.0 * float(sec), 2)


async def _run(chosen: argparse.Namespace) -> dict[str, Any]:
    bodies = read(chosen.folder, chosen.protocol)
    async with connect(chosen.protocol, chosen.target) as send:
        if chosen.callers:
            return await closed_loop(send, bodies, chosen.callers, chosen.seconds)
        return await open_loop(send, bodies, chosen.rate, chosen.seconds)


def main() -> None:
    """Prints the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("protocol", choices=("grpc", "rest"))
    parser.add_argument("target")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--callers", type=int, default=0, help="closed loop")
    parser.add_argument("--seconds", type=float, default=20.0)
    print(json.dumps(asyncio.run(_run(parser.parse_args()))))


if __name__ == "__main__":
    main()
