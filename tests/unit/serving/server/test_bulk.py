import asyncio
import threading

import pytest

from serving.server import bulk


@pytest.mark.parametrize(("size", "leaves"), [(1, False), (bulk.LARGE, True)])
def test_only_large_work_leaves_the_event_loop(size, leaves):
    here = threading.get_ident()
    there = asyncio.run(bulk.run(threading.get_ident, size))
    assert (there != here) == leaves


def test_errors_come_back():
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(bulk.run(fail, bulk.LARGE))
