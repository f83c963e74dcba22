"""The threads in which reading happens, and what they do beside the first requests."""

import gc
import sys

from mnist_net.web.limits import Limits
from mnist_net.web.metrics import Metrics
from mnist_net.web.work import Work


def test_what_is_there_at_the_start_is_passed_over_by_searches_for_garbage() -> None:
    work = Work(Limits(), Metrics())
    work.prepare()
    work._large.shutdown(wait=True)
    assert gc.get_freeze_count() > 10_000
    assert "scipy.ndimage" in sys.modules
    work.close()
    assert gc.get_freeze_count() == 0
