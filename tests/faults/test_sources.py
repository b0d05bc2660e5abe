"""A source that hangs, one that answers slowly, one that floods: the others go on in their rhythm."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.load import STEP
from metrics.observations import Interval
from tests.support.faults.course import Course
from tests.support.faults.lineups import Lineup, Whole, up
from tests.support.faults.screens import Screen
from tests.support.json_interface import Call, Interface, Reply, say, serving
from tests.support.waiting import eventually
from wording.words import DASH

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]
POLL_S, READ_S, TOTAL_S = 2, 3, 5
AILING_S = 15.0
AILING, HEALTHY = "ailing", "healthy"
NONE = ("", DASH)


def hang(interface: Interface) -> Callable[[Any], None]:
    def wait(out: Any) -> None:
        interface.closing.wait(AILING_S + TOTAL_S)

    return wait


def dribble(interface: Interface) -> Callable[[Any], None]:
    def write(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
        while not interface.closing.wait(1):
            out.write(b" ")
            out.flush()

    return write


def flood(interface: Interface) -> Callable[[Any], None]:
    def write(out: Any) -> None:
        out.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{"list": [')
        while not interface.closing.is_set():
            out.write(b'{"t": 1, "n": 1},' * 10_000)

    return write


class WithSources(Whole):
    """Two sources besides, which say the same of every minute."""

    def __init__(self, folder: Path, interface: Interface) -> None:
        self.interface = interface
        super().__init__(folder)

    def prepare(self) -> None:
        for order, name in enumerate((AILING, HEALTHY), start=50):
            self.interface.routes[f"/{name}"] = counts
            text = yaml.safe_dump(channel(name, order, self.interface.url))
            (self.folder / "catalogue" / "channels" / f"{name}.yaml").write_text(text)


def channel(name: str, order: int, url: str) -> dict[str, object]:
    records = {
        "time": {"field": "t", "form": "epoch_s"},
        "region": {"constant": "100000"},
        "measures": {"contacts": {"field": "n"}},
    }
    params = {"start": "{start}", "end": "{end}"}
    request = {"id": "rows", "path": f"/{name}", "params": params, "records": "list[*]", "map": records}
    limits = {"read_s": READ_S, "total_s": TOTAL_S, "tries": 1, "calls_per_minute": 6000}
    options = {"base_url": url, "requests": [{**request, "times": {"form": "epoch_s"}}], "limits": limits}
    delivers = [{"measure": "contacts", "grain": "nation"}]
    source = {"id": "counts", "kind": "http_json", "poll_s": POLL_S, "delivers": delivers, "options": options}
    named = {"zh": name, "en": name}
    return {"id": name, "name": named, "short": named, "order": order, "settle_s": 120, "sources": [source]}


def counts(call: Call) -> Reply:
    """A figure for every minute that is asked for, the same whenever it is asked."""
    starts = range(int(float(call.params["start"])), int(float(call.params["end"])), 60)
    return say({"list": [{"t": start, "n": figure(start)} for start in starts]})


def figure(start: int) -> int:
    return start // 60 % 97 + 1


@pytest.fixture(scope="module")
def interface() -> Iterator[Interface]:
    with serving() as made:
        yield made


@pytest.fixture(scope="module")
def whole(interface: Interface, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WithSources]:
    lineup = WithSources(tmp_path_factory.mktemp("sources"), interface)
    lineup.screens.append(Screen(lineup.addresses[0], "quality?lang=en"))
    with up(lineup):
        yield lineup


@pytest.mark.parametrize("ail", [hang, dribble, flood], ids=["hangs", "answers_slowly", "floods"])
def test_a_source_that(
    whole: WithSources,
    course: Callable[[Lineup, str], Course],
    ail: Callable[[Interface], Callable[[Any], None]],
    request: pytest.FixtureRequest,
) -> None:
    interface = whole.interface
    one = course(whole, f"a source {request.node.callspec.id.replace('_', ' ')}")
    one.steady()
    eventually(lambda: error_of(whole, AILING) in NONE, "the source answers")
    with one.fault(stops_figures=False):
        interface.routes[f"/{AILING}"] = lambda call: Reply(stream=ail(interface))
        began = time.monotonic()
        asked = timed(interface, f"/{HEALTHY}")
        eventually(lambda: error_of(whole, AILING) not in NONE, "the quality window says so")
        one.row.marked_s.append(time.monotonic() - began)
        time.sleep(max(0.0, began + AILING_S - time.monotonic()))
        interface.routes[f"/{AILING}"] = counts
        gaps = asked()
    eventually(lambda: error_of(whole, AILING) in NONE, "the source answers again")
    assert max(gaps) < 3 * POLL_S, f"the other source was asked only every {max(gaps):.1f} s"
    one.settle()
    with whole.history() as history:
        span = Interval(datetime.now(UTC) - 90 * STEP, datetime.now(UTC))
        rows = history.observations(span, channels=(AILING, HEALTHY))
    for _, own in rows.groupby("channel", observed=True):
        starts = [int(start.timestamp()) for start in own["start"]]
        assert starts == list(range(starts[0], starts[-1] + 60, 60)), "minutes are missing, or come twice"
        assert [int(value) for value in own["value"]] == [figure(start) for start in starts]


def error_of(whole: WithSources, name: str) -> str:
    """What the quality window says is wrong with a source."""
    quality = next(screen for screen in whole.screens if screen.topic.startswith("quality"))
    assert isinstance(quality, Screen)
    return str(quality.shown.get(f"source-{name}-counts", {}).get(".error", "not shown"))


def timed(interface: Interface, path: str) -> Callable[[], list[float]]:
    """Begin to note when a path is asked; what that gives tells the gaps between."""
    times = [time.monotonic()]
    route = interface.routes[path]

    def note(call: Call) -> Reply:
        times.append(time.monotonic())
        return route(call)

    def told() -> list[float]:
        interface.routes[path] = route
        times.append(time.monotonic())
        return [after - before for before, after in pairwise(times)]

    interface.routes[path] = note
    return told
