import pytest

from components.trainer import avoidance_loss


def test_one_window_of_each_four_teaches_and_each_place_has_its_turn():
    taken = avoidance_loss.windows_that_teach(18, worker=0, num_workers=1)

    # Of 0-3, 4-7, 8-11, 12-15 and the rest, 16 and 17.
    assert taken.numpy().tolist() == [0, 5, 10, 15, 16]


@pytest.mark.parametrize("num_windows", [1, 2, 3, 7, 16, 32, 33])
@pytest.mark.parametrize("num_workers", [2, 3, 4])
def test_workers_share_the_windows_that_one_would_take(num_windows, num_workers):
    alone = avoidance_loss.windows_that_teach(num_windows, 0, 1).numpy().tolist()
    shares = []
    for worker in range(num_workers):
        places = list(range(num_windows))[worker::num_workers]
        taken = avoidance_loss.windows_that_teach(len(places), worker, num_workers)
        shares.append([places[i] for i in taken.numpy()])

    assert sorted(place for share in shares for place in share) == alone
    # Nobody waits for a worker that teaches the path alone.
    sizes = [len(share) for share in shares]
    assert max(sizes) - min(sizes) <= 2
