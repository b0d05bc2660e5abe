"""What a process is: everything in one, or one part that can be multiplied.

`make run` starts everything in one: the pipeline, the web and, in demo mode, the simulated nation beside them. With
`WATCHFLOOR_ROLE` a process is only the pipeline, a worker, or the web. What a process needs starts with it and stops
with it.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from collectors.push import PATH
from config.catalogue import Catalogue
from config.faults import CatalogueError
from config.loading import load
from config.settings import BadSetting, Settings, read_settings
from service.dependencies import make_home, state_url
from service.pipeline import run_alone, running
from service.process import collect_rarely, end_on_signals, set_up_log
from service.questions import asked_by_web
from service.sources import receiving_feeders
from service.valkey import shared
from service.web import SiteDependencies, listen, own_address, serve
from service.worker import run_worker
from store.faults import StoreFault
from store.state import State, open_state


def main() -> int:
    """Run until Ctrl-C or SIGTERM; 2 when the configuration is wrong, 1 when something is in the way."""
    end_on_signals()
    try:
        settings = read_settings()
        set_up_log(settings)
        collect_rarely()
        ROLES[settings.role](settings, load(settings.config_dir))
    except (CatalogueError, BadSetting) as error:
        print(error, file=sys.stderr)
        return 2
    except (StoreFault, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _all(settings: Settings, catalogue: Catalogue) -> None:
    """The pipeline with its web, which also answers what other processes ask: the store's files belong to this one."""
    address = listen(settings)
    here = own_address(settings, address)
    make_home(settings)
    with address, _demo(settings, here), running(settings, catalogue) as service:
        accounts = service.dependencies.state if settings.access == "login" else None
        site = SiteDependencies(service.live, service.ingest, service.receivers, accounts, service.questions)
        serve(settings, catalogue, site, address)


def _demo(settings: Settings, here: str) -> AbstractContextManager[object]:
    """The simulated nation beside the product; production processes never import it."""
    if not settings.demo:
        return nullcontext()
    from simulator.demo import nation  # noqa: PLC0415 - only in demo mode

    return nation(settings, f"{here}{PATH}")


def _web(settings: Settings, catalogue: Catalogue) -> None:
    """A web process alone: it shares Valkey, and the users if they sign in, with the processes beside it."""
    receivers = receiving_feeders(settings, catalogue)
    with (
        listen(settings) as address,
        _accounts(settings, catalogue) as accounts,
        shared(settings) as (live, ingest),
        asked_by_web(settings, catalogue) as questions,
    ):
        serve(settings, catalogue, SiteDependencies(live, ingest, receivers, accounts, questions), address)


@contextmanager
def _accounts(settings: Settings, catalogue: Catalogue) -> Iterator[State | None]:
    if settings.access == "open":
        yield None
        return
    state = open_state(state_url(settings), catalogue.rules)
    try:
        yield state
    finally:
        state.close()


ROLES: dict[str, Callable[[Settings, Catalogue], object]] = {
    "all": _all,
    "pipeline": run_alone,
    "worker": run_worker,
    "web": _web,
}
