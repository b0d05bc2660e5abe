"""One pipeline and two web processes: what a push at one shows at the other, and what the death of each costs."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from config.settings import Settings
from service.web import listen
from tests.support.real_product import Shown, start_and_end
from tests.support.two_processes import TwoProcesses, Web, listens, two_processes

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoProcesses]:
    with two_processes(tmp_path_factory.mktemp("halves")) as made:
        yield made


@pytest.fixture
def a(house: TwoProcesses) -> Web:
    return _running(house, "A")


@pytest.fixture
def b(house: TwoProcesses) -> Web:
    return _running(house, "B")


def _running(house: TwoProcesses, name: str) -> Web:
    web = house.webs[name]
    return web if web.process.poll() is None else house.again(name)


def answered(number: int) -> Callable[[Shown], bool]:
    """Whether a screen shows that so many of a thousand calls were answered."""
    return lambda shown: shown.get("tile-answer_rate", {}).get(".value") == f"{number / 10:.1f}"


def test_what_is_pushed_at_one_shows_at_the_other_to_whom_the_first_let_in(a: Web, b: Web) -> None:
    assert httpx.get(f"{b.url}/live/hq", trust_env=False).status_code == 401
    b.cookies = a.sign_in()
    answer = a.push(123, "first")
    assert answer.status_code == 202, answer.text
    b.screen("hq?lang=en", answered(123))
    assert b.push(123, "first").json() == answer.json() | {"duplicate": True}


def test_what_one_refused_is_a_finding_for_everybody(a: Web, b: Web) -> None:
    def told(shown: Shown) -> bool:
        return any(parts.get(".rule") == "AC-01" for name, parts in shown.items() if name.startswith("finding-"))

    assert a.push(-1, "refused").status_code == 422
    b.cookies = b.sign_in()
    b.screen("quality?lang=en", told)


def test_when_one_is_killed_the_other_goes_on_without_it(a: Web, b: Web) -> None:
    a.signal(signal.SIGKILL)
    b.cookies = b.sign_in()
    assert b.push(234, "second").status_code == 202
    b.screen("hq?lang=en", answered(234))


def test_while_the_pipeline_is_gone_figures_keep_their_time_and_pushes_wait(
    house: TwoProcesses, a: Web, b: Web
) -> None:
    """A screen says the age of figures from their time on (`tests/browser/test_live.py`)."""
    house.pipeline.signal(signal.SIGKILL)
    killed = datetime.now(UTC)
    for number in range(5):
        assert (a, b)[number % 2].push(300 + number, f"while it was gone {number}").status_code == 202
    b.cookies = b.sign_in()
    shown = b.screen("hq?lang=en", lambda shown: "data-age" in shown)
    assert datetime.fromisoformat(shown["data-age"]["@data-at"]) < killed
    assert not answered(304)(shown)
    house.pipeline_again()
    b.screen("hq?lang=en", answered(304))


def test_a_pipeline_hears_nobody_who_looks(house: TwoProcesses, b: Web) -> None:
    """A viewer costs it nothing because it cannot even notice him: it waits for connections nowhere."""
    assert listens(b.process.pid)
    assert not listens(house.pipeline.process.pid)


def test_a_web_process_leaves_no_files(house: TwoProcesses) -> None:
    assert (house.folder / "pipeline" / "facts.duckdb").exists()
    assert not any((house.folder / f"web-{name}").exists() for name in house.webs)
    for web in house.webs.values():
        held = [os.readlink(one) for one in Path(f"/proc/{web.process.pid}/fd").iterdir()]
        assert not [name for name in held if str(house.folder / "pipeline") in name]


def test_a_start_that_lacks_something_says_what(tmp_path: Path) -> None:
    ended = start_and_end(tmp_path / "home", role="web", demo="0")
    assert ended.returncode == 2
    assert ended.stderr.startswith("WATCHFLOOR_VALKEY_URL is not set: ")
    assert "Traceback" not in ended.stderr


def test_web_processes_may_share_a_port_and_nobody_else_may() -> None:
    web = Settings(role="web", port=0)
    with listen(web) as first:
        first.listen()
        port = first.getsockname()[1]
        with listen(Settings(role="web", port=port)) as second:
            assert second.getsockname() == first.getsockname()
        with pytest.raises(OSError, match="in use"):
            listen(Settings(port=port))
