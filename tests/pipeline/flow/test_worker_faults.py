"""What a worker says of work that failed: one line for a store that is away, the traceback for a bug."""

import logging
from collections.abc import Callable
from typing import cast

import pytest
from nats.aio.msg import Msg

from pipeline.flow.job_queue import JobQueue, Taken
from pipeline.flow.worker import finished
from store.faults import StoreUnreachable

TAKEN = Taken("watchfloor.ask.desk.counts", b"", cast(Msg, None))
NO_QUEUE = cast(JobQueue, None)
"""Work that fails never says `done` of it."""


def failing(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(("error", "traceback"), [(StoreUnreachable("nobody answers"), False), (KeyError("x"), True)])
def test_only_a_bug_is_told_with_its_traceback(
    error: Exception, traceback: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "watchfloor.worker"):
        assert not finished(NO_QUEUE, [TAKEN], failing(error))
    [record] = caplog.records
    assert record.getMessage() == f"work on watchfloor.ask.desk.counts failed: {error}"
    assert bool(record.exc_info) is traceback
