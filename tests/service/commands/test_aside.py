"""What was kept aside, by the command line: beside a running product, without one, and over facts that are shared."""

import json
import shutil
import signal
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pydantic import SecretStr

from config.loading import load
from config.settings import Settings
from pipeline.dependencies import Dependencies
from pipeline.flow.aside import keep_pushed
from pipeline.flow.aside_deeds import aside_jobs
from pipeline.flow.feeder import Feeder, receiving
from pipeline.flow.scheduler import Scheduler
from service.commands.command_line import main
from service.dependencies import open_dependencies, state_url
from service.sources import feeders
from store.ingest.stream import Ingest, Pushed
from store.state import open_state
from store.state.users import Deed
from store.valkey.embedded import EmbeddedValkey
from tests.support.push_world import FOLDER, TOKENS, body
from tests.support.real_postgres import schema_of
from tests.support.real_product import Product, Shown

pytestmark = pytest.mark.timeout(240)
GUANGZHOU = "440100"
RECEIVED = datetime.now(UTC) - timedelta(minutes=2)
MINUTE = (RECEIVED - timedelta(minutes=1)).replace(second=0, microsecond=0)
DAY = ["--from", (RECEIVED - timedelta(days=1)).isoformat(), "--to", (RECEIVED + timedelta(days=1)).isoformat()]
BY = ["--by", "Li Na", "--reason", "the hall sent it again"]
COUNTED = "replayed: 1 observations count, 0 records do not\n"
SECRET = 987654


def contacts(value: int, at: datetime = MINUTE) -> bytes:
    return body({"measure": "contacts", "region": GUANGZHOU, "start": at.isoformat(), "value": value})


@dataclass
class Told:
    """What a command said."""

    code: int
    out: str
    err: str


class House:
    """A data folder, the catalogue of the moment, and its command line."""

    def __init__(self, folder: Path) -> None:
        self.home, self.config = folder / "home", folder / "config"
        shutil.copytree(FOLDER / "channels", self.config / "channels")
        tokens = {f"token_{name}": token for name, token in TOKENS.items()}
        self.settings = {"config_dir": str(self.config), "demo": "0", **tokens}

    def without_hall(self) -> None:
        (self.config / "channels" / "hall.yaml").unlink()

    def with_hall(self) -> None:
        shutil.copy(FOLDER / "channels" / "hall.yaml", self.config / "channels")

    def accepted(self, **bodies: bytes) -> None:
        """What the push endpoint took for the hall while nobody drained it."""
        with EmbeddedValkey(self.home / "valkey") as valkey, closing(Ingest(valkey.url)) as ingest:
            for number, (key, data) in enumerate(bodies.items()):
                ingest.append("hall", "counts", key, data, RECEIVED + timedelta(seconds=number))

    def call(self, *arguments: str) -> Told:
        """A command of this process, which is not the product's."""
        out, err = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["--home", str(self.home), "--config", str(self.config), *arguments])
        return Told(code, out.getvalue(), err.getvalue())

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        told = self.call(*arguments, "--format", "json")
        assert told.code == 0, told.err
        found: list[dict[str, Any]] = json.loads(told.out)
        return found

    def aside(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """The listing by the senders' keys, which only `show` tells."""
        shown = [self.rows("aside", "show", row["id"])[0] for row in self.rows("aside", "list", *arguments)]
        return {row["sender_key"]: row for row in shown}

    def figure(self) -> float | None:
        rows = self.rows("query", "contacts", *DAY, "--by", "total", "--channel", "hall")
        value: float | None = rows[0]["value"] if rows else None
        return value

    def trail(self) -> list[Deed]:
        """The deeds on what was kept aside, oldest first."""
        state = open_state(state_url(Settings(home_dir=self.home)), load(self.config).rules)
        try:
            return [deed for deed in reversed(state.users.trail()) if deed.what.startswith("aside_")]
        finally:
            state.close()

    @contextmanager
    def product(self) -> Iterator[Product]:
        product = Product(self.home, **self.settings)
        try:
            yield product
        finally:
            product.signal(signal.SIGTERM)


def found(shown: Shown) -> bool:
    return any(parts.get(".rule") == "CP-05" for name, parts in shown.items() if name.startswith("finding-"))


def test_bodies_of_a_channel_that_has_gone_are_listed_shown_replayed_and_discarded(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.accepted(first=contacts(SECRET), second=contacts(2), third=contacts(3))
    house.without_hall()
    with house.product() as product:
        product.screen("quality?lang=en", found)
        listed = house.rows("aside", "list", "--kind", "channel_gone", "--channel", "hall", *DAY)
        assert [row["state"] for row in listed] == ["waiting"] * 3
        assert house.rows("aside", "list", "--kind", "refused") == []
        kept = house.aside()
        assert {row["reason"] for row in kept.values()} == {"channel_gone"}
        first, second, third = (kept[key]["id"] for key in ("first", "second", "third"))
        for asked in (["list"], ["show", first]):
            told = house.call("aside", *asked)
            assert (told.code, str(SECRET) in told.out) == (0, False), told.err
        assert [row["rule"] for row in house.rows("audit", *DAY) if row["channel"] == "hall"] == ["CP-05"]
        _bytes_are_written_once_for_who_says_his_name(house, first, tmp_path / "body.json")
        refused = house.call("aside", "replay", first, *BY)
        assert (refused.code, refused.out) == (1, "")
        assert "the catalogue has no push source for the channel" in refused.err
        assert house.call("aside", "discard", third, *BY).out == "discarded\n"
        assert house.aside()["third"]["state"] == "discarded"
    house.with_hall()
    assert house.call("aside", "replay", second, *BY) == Told(0, COUNTED, "")
    assert house.figure() == 2
    with house.product() as product:
        assert house.call("aside", "replay", first, *BY) == Told(0, COUNTED, "waiting for the running service\n")
        assert house.call("aside", "replay", first, *BY).out == "already replayed: nothing was changed\n"
        assert house.figure() == 2, "the second body was accepted later, and its word stays"
        assert [row["rule"] for row in house.rows("audit", *DAY) if row["rule"] == "CP-05"] == []
        product.screen("quality?lang=en", lambda shown: not found(shown))
        settled = house.aside()
    assert {key: row["state"] for key, row in settled.items()} == {
        "first": "replayed",
        "second": "replayed",
        "third": "discarded",
    }
    assert settled["third"]["who"] == "Li Na"
    assert settled["third"]["why"].startswith("the hall sent it again [")
    _every_deed_is_in_the_trail(house.trail(), first, second, third)


def _bytes_are_written_once_for_who_says_his_name(house: House, id: str, file: Path) -> None:
    assert house.call("aside", "show", id, "--bytes", str(file)).code == 2
    assert not file.exists()
    read = ["aside", "show", id, "--bytes", str(file), "--by", "Li Na"]
    assert house.call(*read).code == 0
    assert file.read_bytes() == contacts(SECRET)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = house.call(*read)
    assert (again.code, "does not exist yet" in again.err) == (2, True)


def _every_deed_is_in_the_trail(trail: list[Deed], first: str, second: str, third: str) -> None:
    assert [(deed.what, deed.detail.split()[0]) for deed in trail if deed.what != "aside_read"] == [
        ("aside_replay_failed", first),
        ("aside_discarded", third),
        ("aside_replayed", second),
        ("aside_replayed", first),
    ]
    assert {deed.who for deed in trail} == {"Li Na"}
    assert [deed.detail.split()[0] for deed in trail if deed.what == "aside_read"] == [first, first]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["replay", "nothing", *BY], "nothing is kept aside as 'nothing'"),
        (["show", "nothing"], "nothing is kept aside as 'nothing'"),
        (["discard", "nothing", "--by", " ", "--reason", "x"], "--by needs"),
        (["replay", "nothing", "--by", "x", "--reason", ""], "--reason needs"),
        (["list", "--from", "soon"], "--from 'soon' is not an ISO date"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    assert main(["--home", str(tmp_path), "--config", str(FOLDER), "aside", *arguments]) == 2
    assert why in capsys.readouterr().err


def test_a_listing_says_that_there_is_more(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_dependencies(Settings(home_dir=tmp_path), load(FOLDER)) as dependencies:
        for number in range(3):
            keep_pushed(
                dependencies, Pushed(f"{number}-0", "fax", "counts", "k", b"old", RECEIVED, refused=False), None
            )
    call = ["--home", str(tmp_path), "--config", str(FOLDER), "aside", "list", "--to", RECEIVED.isoformat()]
    assert main(call) == 0
    assert capsys.readouterr().out == ""
    assert main([*call[:-2], "--limit", "2"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert (len(told), told[-1]) == (4, "the newest 2; for older ones narrow --from and --to, or raise --limit")


class Shared:
    """Facts and state in PostgreSQL, which do not say whether anybody runs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        url = schema_of(folder)
        for name in ("FACTS_URL", "STATE_URL"):
            monkeypatch.setenv(f"WATCHFLOOR_{name}", url)
        self.settings = Settings(home_dir=folder, facts_url=SecretStr(url), state_url=SecretStr(url))
        self.call = ["--home", str(folder), "--config", str(FOLDER), "aside"]

    @contextmanager
    def opened(self) -> Iterator[tuple[Dependencies, tuple[Feeder, ...], str]]:
        """A process that holds the facts, and the name of a body that is kept aside."""
        catalogue = load(FOLDER)
        with open_dependencies(self.settings, catalogue) as dependencies:
            pushed = Pushed("1-0", "hall", "counts", "k", contacts(5), RECEIVED, refused=False)
            keep_pushed(dependencies, pushed, None)
            [kept] = dependencies.state.aside.newest(1)
            yield dependencies, feeders(self.settings, catalogue), kept.id


def test_beside_a_service_that_shares_its_facts_the_service_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("service.commands.aside._done_here", lambda *given: pytest.fail("there is a service"))
    shared = Shared(tmp_path, monkeypatch)
    with shared.opened() as (dependencies, own, name):
        service = Scheduler(aside_jobs(dependencies, receiving(own)), dependencies.clock, Event())
        service.start()
        try:
            assert main([*shared.call, "replay", name, *BY]) == 0
        finally:
            service.stop()
        assert capsys.readouterr().out == COUNTED
        feed = dependencies.board.feeds["hall", "counts"]
        assert feed.first == int(MINUTE.timestamp()), "whoever publishes knows of it"


def test_without_a_service_that_shares_its_facts_the_command_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("service.commands.aside.PICKED_UP_S", 0.5)
    shared = Shared(tmp_path, monkeypatch)
    with shared.opened() as (dependencies, _, name):
        assert main([*shared.call, "discard", name, *BY]) == 0
        told = capsys.readouterr()
        assert (told.out, told.err) == ("discarded\n", "waiting for the running service\n")
        assert dependencies.state.aside.data(name) is None
