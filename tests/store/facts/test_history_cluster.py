"""What only a cluster can do wrong: replicas killed under load, ZooKeeper away, several writers at once."""

import random
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from metrics.observations import encode_dimensions
from store.facts.clickhouse import ClickHouseHistory, names, servers
from store.facts.clickhouse.address import Address
from store.faults import NameClash, StoreUnreachable
from tests.support.clickhouse_cluster import Cluster
from tests.support.clickhouse_in_process import in_process
from tests.support.steady_writer import step
from tests.support.store_reference import ReferenceHistory
from tests.support.store_world import KEYS, START, contacts, hour, minute, offered, one, stamp, table, world
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("clickhouse"))
    yield started
    started.stop()


@pytest.fixture
def url(cluster: Cluster, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(servers, "PATIENCE_S", 1.0)
    monkeypatch.setattr(servers, "QUORUM_S", 0.5)
    database = f"t{abs(hash(request.node.name)):x}"
    yield cluster.url(database)
    cluster.drop(database)


def shown(history: ClickHouseHistory) -> dict[tuple[object, ...], float]:
    rows = history.observations(hour())
    keys = list(rows[["channel", "measure", "region", "dimension", "start"]].itertuples(index=False, name=None))
    assert len(set(keys)) == len(keys), "a key is there twice"
    return dict(zip(keys, rows["value"], strict=True))


def lacking(history: ClickHouseHistory) -> tuple[str, ...]:
    return history.holdings().lacking


@pytest.mark.parametrize("killed", [0, 3])
def test_a_replica_is_killed_under_load_and_comes_back(cluster: Cluster, url: str, killed: int) -> None:
    """Each replica in turn: writes go on without it, and when it has caught up it alone could tell everything."""
    history, reference = ClickHouseHistory(url, world()), ReferenceHistory(world())
    written: list[int] = []
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            step(history, len(written) + 1)
            written.append(len(written) + 1)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            eventually(lambda: len(written) >= 2 or writing.done(), "two steps are written")
            cluster.servers[killed].kill()
            assert any(f":{cluster.http[killed]} away" in one for one in lacking(history))
            eventually(lambda: len(written) >= 5 or writing.done(), "steps are written without it")
            cluster.servers[killed].start()
            there = len(written)
            eventually(lambda: len(written) >= there + 2 or writing.done(), "steps are written with it again")
        finally:
            ended.set()
        writing.result()
    cluster.servers[killed].wait()
    eventually(lambda: lacking(history) == (), "it has caught up")
    for number in written:
        step(reference, number)
    assert shown(history) == reference.shown()
    other = killed ^ 1
    cluster.servers[other].kill()
    try:
        assert shown(ClickHouseHistory(url, world())) == reference.shown()
    finally:
        cluster.servers[other].start()
        cluster.servers[other].wait()
        eventually(lambda: lacking(history) == (), "the other is back")


def test_a_channel_lives_on_one_shard_and_on_all_its_replicas(cluster: Cluster, url: str) -> None:
    history = ClickHouseHistory(url, world())
    for channel in ("hotline", "chat"):
        history.write(stamp(channel=channel), offered(5))
    database = Address.of(url).database
    held = [cluster.tell(number, f"SELECT channel FROM {database}.fact").split() for number in range(4)]
    codes = [str(names.code("channel", channel)) for channel in ("hotline", "chat")]
    assert held == [codes[:1], codes[:1], codes[1:], codes[1:]]
    assert one(history) == 10


def test_without_zookeeper_writes_are_refused_and_reads_go_on(cluster: Cluster, url: str) -> None:
    history = ClickHouseHistory(url, world())
    history.write(stamp(1), offered(5))
    cluster.zookeeper.kill()
    try:
        with pytest.raises(StoreUnreachable, match=r"takes no writes|ZooKeeper"):
            history.write(stamp(2), offered(6))
        assert one(history) == 5
    finally:
        cluster.zookeeper.start()
        cluster.zookeeper.wait()
        for number in range(4):
            cluster.wait_for_zookeeper(number)
    eventually(lambda: lacking(history) == (), "the replicas are back")
    history.write(stamp(2), offered(6))
    assert one(history) == 6


def test_a_cluster_that_does_not_answer_is_unreachable() -> None:
    with pytest.raises(StoreUnreachable, match="does not answer"):
        ClickHouseHistory("clickhouse://127.0.0.1:1/nothing", world())


def test_writers_at_once_name_and_count_alike(cluster: Cluster, url: str) -> None:
    """Four writers, each with names, contacts and corrections of its own for the same keys of the same channels."""
    reference = ReferenceHistory(world())
    batches = [(stamp(number, "hotline", minute(number), f"batch-{number}"), *_some(number)) for number in range(1, 17)]

    def write(first: int) -> None:
        history = ClickHouseHistory(url, world())
        for given, cells, calls in random.Random(first).sample(batches[first::4], 4):
            history.write(given, cells)
            history.contribute(given, calls)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    for given, cells, calls in batches:
        reference.write(given, cells)
        reference.contribute(given, calls)
    history = ClickHouseHistory(url, world())
    assert shown(history) == reference.shown()
    for given, cells, calls in batches:
        again = (history.write(given, cells), history.contribute(given, calls))
        assert [written.touched for written in again] == [None, None]


def _some(number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    chance = random.Random(number)
    keys = [*KEYS, encode_dimensions({"service": f"new-{number}"})]
    cells = [("offered", "110105", chance.choice(keys), minute(chance.randrange(3)), number) for _ in range(20)]
    calls = [
        (f"call-{chance.randrange(12)}", "waited_s", "110106", "", minute(chance.randrange(3)), chance.randrange(9))
        for _ in range(8)
    ]
    return table(cells), contacts(calls)


def test_of_two_writers_at_once_the_one_that_saw_more_contacts_is_right(tmp_path: Path) -> None:
    """One has added up its contact and is about to write the sum when the other adds a contact and writes first."""
    opened = in_process().open(tmp_path, world())
    waiting = [contacts([("b", "offered", "110105", "", START, 2.0)])]

    def slowly(server: str, statement: str, settings: Mapping[str, str | int], rows: bytes | None) -> bytes:
        if "held_version" in statement and waiting:
            opened.contribute(stamp(2), waiting.pop())
        return in_process().send(server, statement, settings, rows)

    late = ClickHouseHistory(in_process().url(tmp_path), world(), slowly)
    late.contribute(stamp(1), contacts([("a", "offered", "110105", "", START, 1.0)]))
    assert waiting == []
    assert one(opened) == 3


def test_a_contact_that_two_writers_at_once_put_in_two_places_is_in_the_newer_one(tmp_path: Path) -> None:
    """Each has seen that the ledger has no such contact when the other adds it."""
    opened = in_process().open(tmp_path, world())
    newer = [contacts([("a", "offered", "110106", "", START, 1.0)])]

    def slowly(server: str, statement: str, settings: Mapping[str, str | int], rows: bytes | None) -> bytes:
        if ".contribution FORMAT" in statement and newer:
            opened.contribute(stamp(2), newer.pop())
        return in_process().send(server, statement, settings, rows)

    late = ClickHouseHistory(in_process().url(tmp_path), world(), slowly)
    late.contribute(stamp(1), contacts([("a", "offered", "110105", "", START, 1.0)]))
    assert newer == []
    assert one(opened) == 1


def test_a_writer_that_ended_between_ledger_and_sums_is_mended_by_the_same_batch(tmp_path: Path) -> None:
    history = in_process().open(tmp_path, world())

    def dies(server: str, statement: str, settings: Mapping[str, str | int], rows: bytes | None) -> bytes:
        if ".fact FORMAT" in statement:
            raise StoreUnreachable("gone")
        return in_process().send(server, statement, settings, rows)

    day = contacts([("a", "offered", "110105", "", START, 1.0), ("b", "offered", "110105", "", START, 2.0)])
    with pytest.raises(StoreUnreachable):
        ClickHouseHistory(in_process().url(tmp_path), world(), dies).contribute(stamp(1), day)
    assert one(history) is None
    assert history.contribute(stamp(1), day).inserted == 1
    assert one(history) == 3
    assert history.contribute(stamp(1), day).unchanged == 2


def test_two_names_with_one_code_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = in_process().open(tmp_path, world())
    history.write(stamp(1), offered(5, dimension=KEYS[1]))
    real = names.code
    monkeypatch.setattr(names, "code", lambda kind, label: real(kind, label if "new" not in label else KEYS[1]))
    with pytest.raises(NameClash, match="rename one of them"):
        history.write(stamp(2), offered(6, dimension="service=new"))
    assert one(history) == 5


@pytest.mark.parametrize(
    "url", ["http://a/b", "clickhouse://a", "clickhouse://a/b?cluster=x;y", "clickhouse://u:secret@a/b?claster=x"]
)
def test_a_wrong_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="ClickHouse address") as refusal:
        Address.of(url)
    assert "secret" not in str(refusal.value)


def test_an_address_names_every_server() -> None:
    address = Address.of("clickhouses://me:p%40ss@a,b:1234/facts?cluster=wf&days=31")
    assert address == Address(("a:8443", "b:1234"), "facts", "wf", 31, "me", "p@ss", tls=True)
