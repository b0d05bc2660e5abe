"""Watchfloor as a process: everything in one, or one of the two halves that can be multiplied.

`make run` starts everything in one: the pipeline, the windows and, in demo mode, the simulated nation beside them.
With `WATCHFLOOR_ROLE` a process is only the pipeline, or only the windows and the push door. What a process needs
starts with it and stops with it.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from config.catalogue import Catalogue
from config.faults import CatalogueError
from config.loading import load
from config.settings import BadSetting, Settings, read_settings
from dashboards.doors import People
from front import DOOR_PATH, Behind, listen, own_address, serve
from pipeline.command_line import answer_here
from pipeline.garbage import look_rarely
from pipeline.jobs import JobsUnreachable
from pipeline.parts import make_home, state_url
from pipeline.remote import PATH, announced, route
from pipeline.service import push_collectors, run_alone, run_worker, running, set_up_log, shared
from simulator.beside import nation
from store.history import StoreInUse
from store.ingest import Unreachable
from store.state import open_state


def main() -> int:
    """Run until Ctrl-C or SIGTERM; 2 when the configuration is wrong, 1 when something is in the way."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _stop)
    try:
        settings = read_settings()
        set_up_log(settings)
        look_rarely()
        ROLES[settings.role](settings, load(settings.config_dir))
    except (CatalogueError, BadSetting) as error:
        print(error, file=sys.stderr)
        return 2
    except (StoreInUse, Unreachable, JobsUnreachable, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    """Leave by the way we came in, so that every part is closed; a second signal does not hurry it."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(0)


def _all(settings: Settings, catalogue: Catalogue) -> None:
    """The pipeline with its front, which also answers the command line: the store's files belong to this process."""
    address = listen(settings)
    here = own_address(settings, address)
    make_home(settings)
    beside = nation(settings, f"{here}{DOOR_PATH}v1") if settings.demo else nullcontext()
    with address, beside, running(settings, catalogue) as service, announced(settings.home_dir, here) as token:
        people = service.parts.state.people if settings.access == "login" else None
        behind = Behind(service.live, service.ingest, service.pushed, people)
        ask = route(token, lambda arguments: answer_here(service.parts, arguments))
        serve(settings, catalogue, behind, address, [ask], [PATH])


def _web(settings: Settings, catalogue: Catalogue) -> None:
    """A front alone: it shares Valkey, and the list of people if they sign in, with the processes beside it."""
    pushed = push_collectors(settings, catalogue)
    with listen(settings) as address, _people(settings, catalogue) as people, shared(settings) as (live, ingest):
        serve(settings, catalogue, Behind(live, ingest, pushed, people), address)


@contextmanager
def _people(settings: Settings, catalogue: Catalogue) -> Iterator[People | None]:
    if settings.access == "open":
        yield None
        return
    state = open_state(state_url(settings), catalogue.rules)
    try:
        yield state.people
    finally:
        state.close()


ROLES: dict[str, Callable[[Settings, Catalogue], object]] = {
    "all": _all,
    "pipeline": run_alone,
    "worker": run_worker,
    "web": _web,
}


if __name__ == "__main__":
    sys.exit(main())
