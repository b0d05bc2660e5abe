"""The line-up of one process: SIGKILL of it and of its Valkey, and its data folder on a disk that is full."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.faults.course import Course
from tests.support.faults.lineups import Lineup, Whole, up
from tests.support.faults.small_disk import SmallDisk
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]
Begin = Callable[[Lineup, str], Course]
KILLS = 3
FULL_S = 10.0


class OnSmallDisks(Whole):
    """What the process keeps is on one small disk, and its Valkey's append-only file on another."""

    def __init__(self, folder: Path) -> None:
        home = folder / "whole"
        home.mkdir(mode=0o700)
        self.disks = {"facts": SmallDisk(home, 200)}
        (home / "valkey").mkdir(mode=0o700)
        self.disks["valkey"] = SmallDisk(home / "valkey", 64)
        super().__init__(folder)

    def end(self) -> None:
        super().end()
        for disk in reversed(self.disks.values()):
            disk.end()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnSmallDisks]:
    with up(OnSmallDisks(tmp_path_factory.mktemp("whole"))) as lineup:
        yield lineup


def test_one_process_killed(whole: Whole, course: Begin) -> None:
    one = course(whole, "one process killed")
    for _ in range(KILLS):
        one.steady()
        with one.fault():
            whole.whole.kill()
    one.settle()


def test_embedded_valkey_killed(whole: Whole, course: Begin) -> None:
    one = course(whole, "embedded valkey killed")
    for _ in range(KILLS):
        one.steady()
        with one.fault():
            os.kill(int((whole.home / "valkey" / "valkey.pid").read_text()), signal.SIGKILL)
    one.settle()


def test_disk_full_under_duckdb(whole: OnSmallDisks, course: Begin) -> None:
    """And under SQLite and the payloads: what is pushed is taken, and waits."""
    one = course(whole, "disk full under duckdb")
    one.steady()
    with one.fault():
        whole.disks["facts"].fill()
        accepted = whole.accepted()
        time.sleep(FULL_S)
        assert whole.waits(whole.accepted()), "nothing waits: it was stored on a disk that is full?"
        assert whole.accepted() > accepted
        whole.disks["facts"].free()
    one.settle()


def test_disk_full_under_everything(whole: OnSmallDisks, course: Begin) -> None:
    one = course(whole, "disk full under everything")
    one.steady()
    told = len(whole.sender.put_off)
    with one.fault():
        for disk in whole.disks.values():
            disk.fill()
        eventually(lambda: any("unavailable" in text for text in whole.sender.put_off[told:]), "a push is refused")
        time.sleep(FULL_S)
        for disk in whole.disks.values():
            disk.free()
    one.settle()
