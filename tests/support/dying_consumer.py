"""A process that takes what waits in the stream and kills itself at one point."""

import os
import signal
import sys
from pathlib import Path

from store.ingest.stream import Ingest, Limits
from store.state.findings import Findings
from tests.support.aside_world import aside_world

ONE_TRY = Limits(reclaim_after_s=0, deliveries=1)
POINTS = {"before it leaves the stream": (Ingest, "done"), "before its finding": (Findings, "record")}


def die(*given: object) -> None:
    """SIGKILL to oneself, in the place of what would be done next."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(home: Path, valkey: str, point: str) -> None:
    """Take what waits, once."""
    owner, name = POINTS[point]
    setattr(owner, name, die)
    with aside_world(home, valkey, ONE_TRY) as world:
        world.consumer().once()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
