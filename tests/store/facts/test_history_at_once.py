"""Engines that several processes write and read at once: nothing is lost, nothing is there twice, nobody sees half."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest

from config.catalogue import Catalogue
from store.facts.history import History, SumQuery
from tests.support.store_reference import ReferenceHistory
from tests.support.store_world import contacts, hour, minute, stamp, table, world

WRITERS = 3


@pytest.fixture
def several(open_shared: Callable[[Path, Catalogue], History], tmp_path: Path) -> Iterator[list[History]]:
    """The same store, opened as often as there are writers."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(open_shared(tmp_path, world()))) for _ in range(WRITERS)]


def shown(history: History) -> dict[tuple[object, ...], float]:
    rows = history.observations(hour())
    keys = rows[["channel", "measure", "region", "dimension", "start"]].itertuples(index=False, name=None)
    found = dict(zip(keys, rows["value"], strict=True))
    assert len(found) == len(rows), "a key is there twice"
    return found


def work(history: History | ReferenceHistory, number: int) -> None:
    """One batch of each kind; all of them meet in a few keys, and every one brings a name that is new."""
    chance = random.Random(number)
    places = ["110105", "120104"]
    cells = [("offered", place, "", minute(n), float(chance.randrange(9))) for n in range(20) for place in places]
    cells += [("offered", "110105", f"service=n{number}", minute(chance.randrange(20)), 1.0)]
    calls = {
        f"call-{chance.randrange(40)}": ("waited_s", "110106", "", minute(chance.randrange(20)), chance.randrange(9))
        for _ in range(15)
    }
    history.write(stamp(number, "hotline", minute(30)), table(cells))
    history.contribute(stamp(number, "chat", minute(30)), contacts((name, *call) for name, call in calls.items()))


def together(*tasks: Callable[[], None]) -> None:
    """Run tasks at once and raise what any of them raised."""
    raised: list[BaseException] = []

    def run(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def test_writers_at_once_end_as_one_after_another(several: list[History]) -> None:
    numbers = list(range(1, 31))
    random.Random(7).shuffle(numbers)

    def write(part: int) -> None:
        for number in numbers[part::WRITERS]:
            work(several[part], number)

    together(*(partial(write, part) for part in range(WRITERS)))
    reference = ReferenceHistory(world())
    for number in sorted(numbers):
        work(reference, number)
    for history in several:
        assert shown(history) == reference.shown()


def test_the_same_batch_from_two_writers_counts_once(several: list[History]) -> None:
    rows = table([("offered", "110105", f"service=s{n}", minute(n), n) for n in range(30)])
    done = []
    together(*(lambda history=history: done.append(history.write(stamp(1), rows)) for history in several))
    assert sum(written.inserted for written in done) == 30
    assert sum(written.unchanged for written in done) == 30 * (WRITERS - 1)


def test_a_name_that_another_gave_is_known_at_once(several: list[History]) -> None:
    first, second, _ = several
    question = SumQuery(("offered",), hour(), group=("service",))
    assert first.totals(question).empty
    second.write(stamp(1), table([("offered", "110105", "service=new", minute(1), 5)]))
    assert first.totals(question)["service"].tolist() == ["new"]
    assert first.observations(hour())["batch"].tolist() == ["hotline-1"]


def test_a_reader_elsewhere_sees_a_whole_batch_or_none(several: list[History]) -> None:
    writer, *readers = several
    ended = threading.Event()

    def write() -> None:
        try:
            for revision in range(1, 30):
                writer.write(
                    stamp(revision), table([("offered", "110105", "", minute(n), revision) for n in range(40)])
                )
        finally:
            ended.set()

    def read(history: History) -> None:
        while not ended.is_set():
            rows = history.observations(hour())
            assert len(rows) in (0, 40)
            assert rows["value"].nunique() <= 1

    together(write, *(lambda history=history: read(history) for history in readers))
