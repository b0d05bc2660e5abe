"""Many machines under load: a worker, a leading pipeline, a NATS server or all, a ClickHouse replica are lost."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.faults.course import AWAY_S, Course
from tests.support.faults.lineups import up
from tests.support.faults.many_machines import WORKERS, ManyMachines
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(500)]
Begin = Callable[[ManyMachines, str], Course]
RUNNING = "watchfloor.service  running"
BODIES_AWAY = 12
"""Bodies that are taken while a server is away."""


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ManyMachines]:
    with up(ManyMachines(tmp_path_factory.mktemp("many"))) as lineup:
        yield lineup


def test_workers_killed(machines: ManyMachines, course: Begin) -> None:
    """While one is away the other drains; what the killed one held in hand is given to another at last."""
    one = course(machines, "workers killed in turn")
    with one.fault(stops_figures=False):
        for name in WORKERS * 2:
            one.steady()
            kill_worker(machines, name)
    one.settle()


def kill_worker(machines: ManyMachines, name: str) -> None:
    runs = len(machines.said(name, RUNNING))
    machines.parts[name].kill()
    eventually(lambda: len(machines.said(name, RUNNING)) > runs, f"{name} is back")


def test_leading_pipelines_killed(machines: ManyMachines, course: Begin) -> None:
    one = course(machines, "leading pipeline killed")
    for _ in range(2):
        one.steady()
        kill_pipeline(machines, one)
    one.settle()


def kill_pipeline(machines: ManyMachines, one: Course) -> None:
    """It stays away until the other leads."""
    killed = machines.leading()
    with taken_over(one, lambda: machines.leading() != killed):
        machines.parts[killed].go_away()
    machines.parts[killed].come_back()


def test_leading_nats_servers_killed(machines: ManyMachines, course: Begin) -> None:
    one = course(machines, "leading NATS server killed")
    for _ in range(2):
        one.steady()
        kill_nats(machines, one)
    one.settle()


def kill_nats(machines: ManyMachines, one: Course) -> None:
    """It is started again when all goes on without it."""
    eventually(lambda: machines.nats_leader() is not None, "a NATS server leads")
    killed = machines.nats_leader()
    assert killed is not None
    with taken_over(one, lambda: machines.nats_leader() not in (None, killed)):
        machines.nats.kill(killed)
    machines.nats.start(killed)
    machines.nats.await_healthy()


def test_nats_away(machines: ManyMachines, course: Begin) -> None:
    """All three servers: what is pushed is taken and waits, since nobody could be told that it is stored."""
    one = course(machines, f"NATS away {AWAY_S:.0f} s")
    one.steady()
    servers = range(len(machines.nats.processes))
    with one.fault():
        for number in servers:
            machines.nats.kill(number)
        before = machines.sender.acknowledged
        time.sleep(AWAY_S)
        assert machines.sender.acknowledged > before
        for number in servers:
            machines.nats.start(number)
        machines.nats.await_healthy()
    one.settle()


def test_clickhouse_replicas_killed(machines: ManyMachines, course: Begin) -> None:
    """One of each shard, one after the other."""
    one = course(machines, "ClickHouse replica killed")
    for number in (one.chance.choice((0, 1)), one.chance.choice((2, 3))):
        one.steady()
        server = machines.clickhouse.servers[number]
        with one.fault():
            server.kill()
        taken_away(machines)
        with one.fault(stops_figures=False):
            server.start()
            server.wait()
    one.settle()


def taken_away(machines: ManyMachines) -> None:
    wanted = machines.sender.acknowledged + BODIES_AWAY
    eventually(lambda: machines.sender.acknowledged >= wanted, "bodies are taken while a server is away")


@contextmanager
def taken_over(one: Course, holds: Callable[[], bool]) -> Iterator[None]:
    """A fault that ends when another leads; the time to recover is told from the loss of the first."""
    with one.fault():
        began = time.monotonic()
        yield
        after_s = eventually(holds, "another leads") - began
    one.row.recovered_s[-1] += after_s
