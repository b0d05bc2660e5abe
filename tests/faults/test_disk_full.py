"""No room left on a disk: pushes are refused clearly, and nothing that was acknowledged is lost."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.faults.course import Course
from tests.support.faults.lineups import Lineup, Split, up
from tests.support.faults.small_disk import SmallDisk
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]
Begin = Callable[[Lineup, str], Course]
FULL_S = 10.0


class OnSmallDisks(Split):
    """Valkey's append-only file and PostgreSQL's data have a small disk each."""

    def prepare_disks(self) -> None:
        self.disks = {
            "valkey": SmallDisk(self.folder / "valkey", 64),
            "postgres": SmallDisk(self.postgres.data, 320),
        }

    def end(self) -> None:
        for disk in self.disks.values():
            disk.end()
        super().end()


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnSmallDisks]:
    lineup = OnSmallDisks(tmp_path_factory.mktemp("full"))
    with up(lineup):
        yield lineup


def test_disk_full_under_valkey(split: OnSmallDisks, course: Begin) -> None:
    one = course(split, "disk full under valkey")
    one.steady()
    told = len(split.sender.put_off)
    with one.fault():
        split.disks["valkey"].fill()
        eventually(lambda: any("unavailable" in text for text in split.sender.put_off[told:]), "a push is refused")
        time.sleep(FULL_S)
        split.disks["valkey"].free()
    one.settle()


def test_disk_full_under_postgres(split: OnSmallDisks, course: Begin) -> None:
    one = course(split, "disk full under postgres")
    one.steady()
    with one.fault():
        split.disks["postgres"].fill()
        accepted = split.accepted()
        time.sleep(FULL_S)
        assert split.accepted() > accepted
        split.disks["postgres"].free()
    one.settle()
