"""What the benchmark of serving sends and how it reads what came back."""

import asyncio
import json

import numpy as np
import pytest

from benchmarks.serving import bad_callers, bodies, generator, wrk
from serving import wire

PRINTED = """\
Running 2s test @ http://127.0.0.1:8501
  1 threads and 32 connections
  Latency Distribution
     50%   21.40ms
     75%   22.00ms
     90%   30.00ms
     99%    1.02s
  2000 requests in 2.00s, 1.00MB read
  Socket errors: connect 0, read 1, write 0, timeout 2
  Non-2xx or 3xx responses: 4
Requests/sec:   998.76
Transfer/sec:      0.50MB
"""


def test_both_protocols_ask_the_same(tmp_path):
    bodies.write(tmp_path, bodies.draw(num_items=30, length=5, k=3, number=2))

    for place in (0, 1):
        sent = wire.message_class("PredictRequest").FromString(
            generator.read(tmp_path, "grpc")[place]
        )
        columns = json.loads(generator.read(tmp_path, "rest")[place])["inputs"]
        assert sent.model_spec.name == "heed"
        assert set(sent.inputs) == set(columns)
        item_id = [one.decode() for one in sent.inputs["history_item_id"].string_val]
        assert columns["history_item_id"] == [item_id]
        assert len(item_id) == 5
        assert columns["k"] == [3]
    assert len(json.loads(bad_callers.huge_body(10))["inputs"]["k"]) == 1


def test_a_stall_does_not_hold_the_caller_up_and_is_seen():
    # Each third request is answered after all have left, and each third never.
    planned = generator.planned_sec(rate=200.0, seconds=1.0)

    async def measure():
        sent, all_have_left = [], asyncio.Event()

        async def send(body):
            sent.append(body)
            if len(sent) == len(planned):
                all_have_left.set()
            if body == b"stalled":
                await all_have_left.wait()
            return body != b"refused"

        bodies = [b"quick", b"stalled", b"refused"]
        return await generator.open_loop(send, bodies, rate=200.0, seconds=1.0)

    found = asyncio.run(measure())
    assert found["failed"] == 66
    place = np.arange(len(planned))
    least = np.where(place % 3 == 1, planned[-1] - planned, 0.0)
    counted = (planned > 0.2) & (place % 3 != 2)
    assert found["counted"] == counted.sum()
    least_ms = 1_000.0 * np.quantile(least[counted], (0.5, 0.99))
    assert found["p50_ms"] >= least_ms[0] - 0.01
    assert found["p99_ms"] >= least_ms[1] - 0.01


def test_a_poisson_process_has_its_rate():
    planned = generator.planned_sec(rate=1_000.0, seconds=20.0)
    gaps = np.diff(planned)
    assert len(planned) == 20_000
    assert (gaps > 0).all()
    # Mean and deviation of exponential gaps are equal; 20,000 tell them to 3 %.
    assert gaps.mean() == pytest.approx(0.001, rel=0.03)
    assert gaps.std() == pytest.approx(0.001, rel=0.03)


def test_what_wrk_prints():
    assert wrk.parse(PRINTED) == {
        "answered_per_sec": 998.8,
        "failed": 7,
        "p50_ms": 21.4,
        "p99_ms": 1_020.0,
    }
    with pytest.raises(ValueError, match="no rate"):
        wrk.parse("unable to connect")
