"""What a listener is told of a training, on a clock worked by hand."""

import pytest

from components import progress
from components.trainer.callbacks import step_progress


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def told():
    found = []
    stop = progress.listen(lambda *report: found.append(report))
    yield found
    stop()


def test_rate_and_time_left_after_a_slow_first_step(told):
    """Two epochs of four steps, 100 positions and 1 s each, validation 2 s.

    The first step takes 20 s and counts for neither figure.
    """
    clock = Clock()
    callback = step_progress.StepProgress(2, 4, "val", clock)
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for batch in range(4):
            clock.now += 20.0 if (epoch, batch) == (0, 0) else 1.0
            logs = {"loss": 4.0 - epoch, "positions": 100.0 * (batch + 1)}
            callback.on_train_batch_end(batch, logs)
        clock.now += 2.0
        callback.on_epoch_end(epoch, {"loss": 4.0 - epoch, "val": 0.25 + epoch})

    assert [report[:2] for report in told] == [
        (n, 8) for n in (1, 2, 3, 4, 4, 5, 6, 7, 8, 8)
    ]
    texts = [report[2] for report in told]
    assert texts[0] == "steps, epoch 1/2, loss 4.000"
    # 3 steps took 3 s, 4 steps are left.
    assert texts[3] == "steps, epoch 1/2, loss 4.000, 100 positions/s, 0:04 left"
    # With the validation 3 steps took 5 s: 4 steps take 6.7 s.
    assert texts[4].endswith("loss 4.000, val 0.2500, 100 positions/s, 0:07 left")
    # 4 steps took 6 s: 3 steps take 4.5 s. The rate starts anew, after the first step.
    assert "epoch 2/2, loss 3.000, val 0.2500, 100 positions/s, 0:04 left" in texts[5]
    assert texts[-1].endswith("val 1.2500, 100 positions/s, 0:00 left")


def test_quick_steps_are_told_twice_a_second(told):
    clock = Clock()
    callback = step_progress.StepProgress(1, 1_000, "val", clock)
    callback.on_epoch_begin(0)
    for batch in range(1_000):
        clock.now += 0.01
        callback.on_train_batch_end(batch, {"loss": 1.0, "positions": batch + 1.0})

    # 10 s.
    assert 18 <= len(told) <= 21


def test_long_times_are_minutes():
    found = step_progress.text(2, 10, 5.25, ("m", 0.12345), 41234.0, 3725.0)

    assert found == (
        "steps, epoch 2/10, loss 5.250, m 0.1235, 41,234 positions/s, 62:05 left"
    )
