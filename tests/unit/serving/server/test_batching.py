import asyncio
import concurrent.futures
import threading

import numpy as np
import pytest

from schema import settings
from serving.bundle import faults
from serving.server import batching


def _request(*rows, k=1):
    """One request; each row is a list of item names."""
    width = max(len(row) for row in rows)
    items = np.full((len(rows), width), b"", dtype=object)
    for number, row in enumerate(rows):
        items[number, : len(row)] = [item.encode() for item in row]
    return {
        "history_item_id": items,
        "history_value": np.ones((len(rows), width), np.float32),
        "k": np.full(len(rows), k, np.int32),
    }


def _echo(inputs):
    """Answers each row with its items joined, `max k` times: padding shows."""
    joined = [b"".join(row) for row in inputs["history_item_id"]]
    width = int(inputs["k"].max())
    out = np.full((len(joined), width), b"", dtype=object)
    for row, (text, k) in enumerate(zip(joined, inputs["k"], strict=True)):
        out[row, :k] = text
    return {"item_id": out, "rows": np.full(len(joined), len(joined))}


def test_stacking_pads_by_type_at_the_end():
    stacked = batching.stack_requests([_request(["a", "b"]), _request(["c"], ["d"])])

    assert stacked["history_item_id"].tolist() == [
        [b"a", b"b"],
        [b"c", b""],
        [b"d", b""],
    ]
    assert np.isnan(stacked["history_value"]).tolist() == [
        [False, False],
        [False, True],
        [False, True],
    ]
    assert stacked["history_value"].dtype == np.float32
    assert stacked["k"].tolist() == [1, 1, 1]


def test_answers_are_cut_to_each_requests_own_k():
    asked = [_request(["a"], k=1), _request(["b"], ["c"], k=3)]

    first, second = batching.split_outputs(_echo(batching.stack_requests(asked)), asked)

    assert first["item_id"].tolist() == [[b"a"]]
    assert second["item_id"].tolist() == [[b"b"] * 3, [b"c"] * 3]
    assert second["rows"].tolist() == [3, 3]


class _Model:
    """Counts calls and can be held."""

    def __init__(self):
        self.batches = []
        self.widths = []
        self.go = threading.Event()
        self.go.set()
        self.entered = threading.Event()

    def run(self, inputs):
        self.entered.set()
        assert self.go.wait(10)
        self.batches.append(len(inputs["k"]))
        self.widths.append(inputs["history_item_id"].shape[1])
        if b"poison" in inputs["history_item_id"]:
            raise faults.invalid("poison")
        return _echo(inputs)


async def _scenario(model, steps, **chosen):
    with concurrent.futures.ThreadPoolExecutor(4) as executor:
        limits = settings.ServingSettings(**chosen)
        batcher = batching.Batcher(model.run, executor, limits)
        try:
            return await steps(batcher)
        finally:
            model.go.set()
            await batcher.drain()


def test_concurrent_requests_share_a_call_and_get_their_own_answers():
    model = _Model()

    async def steps(batcher):
        return await asyncio.gather(
            *(batcher.submit(_request([f"i{n}"], k=n), 1) for n in range(1, 9))
        )

    answers = asyncio.run(_scenario(model, steps, max_batch_rows=64))

    assert model.batches == [8]
    for n, answer in enumerate(answers, start=1):
        assert answer["item_id"].tolist() == [[f"i{n}".encode()] * n]


def test_batches_keep_to_their_size():
    model = _Model()

    async def steps(batcher):
        await asyncio.gather(*(batcher.submit(_request(["a"]), 1) for _ in range(7)))

    asyncio.run(_scenario(model, steps, max_batch_rows=3, num_workers=1))

    assert model.batches == [3, 3, 1]


def test_a_long_history_is_no_company_for_short_ones():
    model = _Model()
    model.go.clear()

    async def steps(batcher):
        def ask(length):
            return asyncio.ensure_future(batcher.submit(_request(["a"] * length), 1))

        first = ask(1)
        await asyncio.to_thread(model.entered.wait, 10)
        waiting = [ask(length) for length in (3, 900, 127, 1_000, 5)]
        await asyncio.sleep(0.01)
        model.go.set()
        return await asyncio.gather(first, *waiting)

    answers = asyncio.run(_scenario(model, steps, num_workers=1))

    # The oldest first with those like it: 3, 127 and 5; then 900 and 1,000.
    assert model.batches == [1, 3, 2]
    assert model.widths == [1, 127, 1_000]
    assert [len(one["item_id"][0, 0]) for one in answers] == [1, 3, 900, 127, 1_000, 5]


def test_what_was_passed_over_keeps_its_place():
    model = _Model()
    model.go.clear()

    async def steps(batcher):
        def ask(length):
            return asyncio.ensure_future(batcher.submit(_request(["a"] * length), 1))

        first = ask(1)
        await asyncio.to_thread(model.entered.wait, 10)
        waiting = [ask(length) for length in (2, 900, 2, 2, 2)]
        await asyncio.sleep(0.01)
        model.go.set()
        await asyncio.gather(first, *waiting)

    asyncio.run(_scenario(model, steps, num_workers=1, max_batch_rows=2))

    assert model.widths == [1, 2, 900, 2]
    assert model.batches == [1, 2, 1, 2]


def test_no_batching_with_one_row():
    model = _Model()

    async def steps(batcher):
        await asyncio.gather(*(batcher.submit(_request(["a"]), 1) for _ in range(3)))

    asyncio.run(_scenario(model, steps, max_batch_rows=1))

    assert model.batches == [1, 1, 1]


def test_a_request_larger_than_a_batch_runs_whole():
    model = _Model()

    async def steps(batcher):
        return await batcher.submit(_request(["a"], ["b"], ["c"]), 3)

    asyncio.run(_scenario(model, steps, max_batch_rows=2))

    assert model.batches == [3]


def test_a_busy_worker_collects_what_arrives():
    model = _Model()
    model.go.clear()

    async def steps(batcher):
        first = asyncio.ensure_future(batcher.submit(_request(["a"]), 1))
        await asyncio.to_thread(model.entered.wait, 10)
        rest = [
            asyncio.ensure_future(batcher.submit(_request(["b"]), 1)) for _ in range(5)
        ]
        await asyncio.sleep(0.01)
        model.go.set()
        await asyncio.gather(first, *rest)

    asyncio.run(_scenario(model, steps, num_workers=1))

    assert model.batches == [1, 5]


def test_waiting_for_company():
    model = _Model()

    async def steps(batcher):
        first = asyncio.ensure_future(batcher.submit(_request(["a"]), 1))
        await asyncio.sleep(0.01)
        # Full now: it must not sit out the minute.
        await asyncio.wait_for(batcher.submit(_request(["b"]), 1), 10)
        await first

    asyncio.run(_scenario(model, steps, max_batch_rows=2, max_wait_ms=60_000))

    assert model.batches == [2]


def test_a_wait_ends():
    model = _Model()

    async def steps(batcher):
        await asyncio.wait_for(batcher.submit(_request(["a"]), 1), 10)

    asyncio.run(_scenario(model, steps, max_batch_rows=2, max_wait_ms=20))

    assert model.batches == [1]


def test_a_bad_request_does_not_fail_its_neighbours():
    model = _Model()

    async def steps(batcher):
        return await asyncio.gather(
            batcher.submit(_request(["a"]), 1),
            batcher.submit(_request(["poison"]), 1),
            batcher.submit(_request(["c"]), 1),
            return_exceptions=True,
        )

    first, bad, third = asyncio.run(_scenario(model, steps))

    assert first["item_id"].tolist() == [[b"a"]]
    assert isinstance(bad, faults.RequestError)
    assert third["item_id"].tolist() == [[b"c"]]


def test_a_cancelled_request_is_not_computed():
    model = _Model()
    model.go.clear()

    async def steps(batcher):
        first = asyncio.ensure_future(batcher.submit(_request(["a"]), 1))
        await asyncio.to_thread(model.entered.wait, 10)
        gone = asyncio.ensure_future(batcher.submit(_request(["b"]), 1))
        stays = asyncio.ensure_future(batcher.submit(_request(["c"]), 1))
        await asyncio.sleep(0.01)
        gone.cancel()
        model.go.set()
        await asyncio.gather(first, stays)

    asyncio.run(_scenario(model, steps, num_workers=1))

    assert model.batches == [1, 1]


def test_overload_is_refused_as_unavailable():
    model = _Model()
    model.go.clear()

    async def steps(batcher):
        first = asyncio.ensure_future(batcher.submit(_request(["a"]), 1))
        await asyncio.to_thread(model.entered.wait, 10)
        waiting = asyncio.ensure_future(batcher.submit(_request(["b"], ["c"]), 2))
        await asyncio.sleep(0.01)
        with pytest.raises(faults.RequestError) as caught:
            await batcher.submit(_request(["d"]), 1)
        assert caught.value.code == "UNAVAILABLE"
        model.go.set()
        await asyncio.gather(first, waiting)

    asyncio.run(_scenario(model, steps, num_workers=1, max_queued_rows=2))


def test_drain_waits_for_the_queue():
    model = _Model()
    model.go.clear()

    async def steps(batcher):
        asked = [
            asyncio.ensure_future(batcher.submit(_request(["a"]), 1)) for _ in range(3)
        ]
        await asyncio.to_thread(model.entered.wait, 10)
        asyncio.get_running_loop().call_later(0.02, model.go.set)
        await batcher.drain()
        assert all(one.done() for one in asked)
        return [one.result()["item_id"].tolist() for one in asked]

    answers = asyncio.run(_scenario(model, steps, max_batch_rows=1, num_workers=1))

    assert answers == [[[b"a"]]] * 3
