"""Both ways to whoever can answer give the same answers and the same refusals; nobody is left waiting."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event

import pytest
from pandas.testing import assert_frame_equal

from analysis.questions.answer import Answer, answer
from analysis.questions.family import AnyAnswer, AnyQuestion, Listing, SourcesQuestion
from analysis.questions.faults import CannotAnswer, Stopped, Unavailable
from analysis.questions.question import Comparison, Question
from analysis.questions.remote import QuestionServer, Remote
from analysis.questions.runner import Runner
from analysis.questions.sums import Cancelled
from analysis.questions.transport import InProcess, Terms, Transport
from config.catalogue import NATION
from config.settings import Settings
from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.turn import turn
from service.questions import answering
from store.faults import StoreUnreachable
from store.valkey.embedded import EmbeddedValkey
from tests.support.pipeline_world import GUANGZHOU, NOON, WUHAN, Clock, Scripted, feeder, pipeline, row, stores
from tests.support.waiting import eventually

LONG_S = 60.0
HOUR = Interval(NOON - timedelta(hours=1), NOON)
QUESTION = Question("answer_rate", HOUR, grain="15min", groups=("region",), comparison=Comparison.PREVIOUS)
Answering = Callable[[AnyQuestion, str, Cancelled], AnyAnswer]
WAYS = ("in process", "through Valkey")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey.url


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dependencies]:
    with pipeline(tmp_path_factory.mktemp("home"), Clock()) as opened:
        rows = [row("offered", GUANGZHOU, 10), row("answered", GUANGZHOU, 7), row("offered", WUHAN, 3)]
        turn(opened, feeder(opened, collector=Scripted(opened, [rows])))
        yield opened


@contextmanager
def asked(way: str, url: str, answers: Answering, at_once: int = 2, waiting: int = 16) -> Iterator[Transport]:
    """One of the ways to somebody who answers."""
    runner = Runner(at_once, waiting)
    server = QuestionServer(url, answers, runner)
    runner.start()
    try:
        if way == "in process":
            yield InProcess(answers, runner)
            return
        server.start()
        with closing(Remote(url)) as remote:
            eventually(lambda: remote.ask(SourcesQuestion(), Terms(scope=NATION)), "it is served", but=Unavailable)
            yield remote
        server.stop()
    finally:
        runner.stop()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def of_stores(dependencies: Dependencies, home: Path) -> Answering:
    return answering(Settings(home_dir=home), dependencies)


def test_an_answer_is_the_same_by_every_way(way: str, url: str, dependencies: Dependencies, tmp_path: Path) -> None:
    with asked(way, url, of_stores(dependencies, tmp_path)) as transport:
        found = transport.ask(QUESTION)
    exact = answer(stores(dependencies), QUESTION)
    assert found == exact
    assert found.rows() == exact.rows()
    assert [one["value"] for one in found.rows() if one["region"] == "440000"][-1] == 0.7
    assert_frame_equal(found.frame, exact.frame, check_dtype=False, check_column_type=False)


def test_observations_and_listings_come_by_every_way(
    way: str, url: str, dependencies: Dependencies, tmp_path: Path
) -> None:
    question = Question("answer_rate", HOUR, rows=True, page_rows=2)
    with asked(way, url, of_stores(dependencies, tmp_path)) as transport:
        page, sources = transport.ask(question), transport.ask(SourcesQuestion())
    assert page.rows() == answer(stores(dependencies), question).rows()
    assert page.more
    assert [one["channel"] for one in sources.rows()] == ["chat", "desk"]


@pytest.mark.parametrize(
    ("question", "terms", "code"),
    [
        (Question("no_such", HOUR), Terms(), "unknown"),
        (Question("answer_rate", HOUR), Terms(scope="440000"), "scope"),
        (SourcesQuestion(), Terms(scope="440000"), "scope"),
        (Question("offered", Interval(NOON - timedelta(days=4000), NOON), grain="1min"), Terms(), "too_much"),
    ],
)
def test_what_is_refused_is_refused_in_the_same_words(
    way: str, url: str, dependencies: Dependencies, tmp_path: Path, question: Question, terms: Terms, code: str
) -> None:
    answers = of_stores(dependencies, tmp_path)
    with pytest.raises(CannotAnswer) as here:
        answers(question, terms.scope, lambda: False)
    with asked(way, url, answers) as transport, pytest.raises(CannotAnswer) as there:
        transport.ask(question, terms)
    assert (str(there.value), there.value.code) == (str(here.value), here.value.code)
    assert there.value.code == code


def test_a_question_under_way_is_stopped_when_nobody_waits(way: str, url: str) -> None:
    begun, stopped, gone = Event(), Event(), Event()

    def slow(question: AnyQuestion, scope: str, cancelled: Cancelled) -> AnyAnswer:
        if isinstance(question, SourcesQuestion):
            return Listing(())
        begun.set()
        eventually(cancelled, "it is told that nobody waits")
        stopped.set()
        raise Stopped

    with asked(way, url, slow) as transport, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(transport.ask, QUESTION, Terms(cancelled=gone.is_set))
        assert begun.wait(LONG_S)
        gone.set()
        with pytest.raises(Stopped):
            waiting.result(LONG_S)
        assert stopped.wait(LONG_S)


def test_nobody_waits_longer_than_his_patience(way: str, url: str) -> None:
    def slow(question: AnyQuestion, scope: str, cancelled: Cancelled) -> AnyAnswer:
        if not isinstance(question, SourcesQuestion):
            eventually(cancelled, "it is told that nobody waits")
        return Listing(())

    with asked(way, url, slow) as transport, pytest.raises(Unavailable, match=r"within 0\.2 s") as told:
        transport.ask(QUESTION, Terms(patience_s=0.2))
    assert told.value.code == "late"


def test_a_store_that_is_away_and_a_bug_are_told_apart(way: str, url: str, caplog: pytest.LogCaptureFixture) -> None:
    faults: list[Exception] = [Unavailable("the store does not answer", "away"), ZeroDivisionError("a bug")]

    def broken(question: AnyQuestion, scope: str, cancelled: Cancelled) -> AnyAnswer:
        if isinstance(question, SourcesQuestion):
            return Listing(())
        raise faults.pop(0)

    with asked(way, url, broken) as transport:
        with pytest.raises(Unavailable) as away:
            transport.ask(QUESTION)
        assert away.value.code == "away"
        with caplog.at_level(logging.ERROR), pytest.raises((Unavailable, ZeroDivisionError)) as bug:
            transport.ask(QUESTION)
    if isinstance(bug.value, Unavailable):
        assert bug.value.code == "failed"
        assert "a bug" in caplog.text


def test_a_store_that_does_not_answer_is_told_as_such(
    dependencies: Dependencies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnreachable("the disk is gone")

    monkeypatch.setattr(dependencies.state.past, "findings", away)
    with pytest.raises(Unavailable, match="the store does not answer: the disk is gone") as told:
        of_stores(dependencies, tmp_path)(QUESTION, NATION, lambda: False)
    assert told.value.code == "away"


def test_the_end_of_the_process_that_answers_is_told(url: str) -> None:
    begun = Event()

    def slow(question: AnyQuestion, scope: str, cancelled: Cancelled) -> AnyAnswer:
        begun.set()
        eventually(cancelled, "the process ends")
        raise Stopped

    runner = Runner()
    server = QuestionServer(url, slow, runner)
    with closing(Remote(url)) as remote, ThreadPoolExecutor(1) as threads:
        with pytest.raises(Unavailable) as told:
            remote.ask(QUESTION)
        assert told.value.code == "away"
        runner.start()
        server.start()

        def taken() -> bool:
            waiting.append(threads.submit(remote.ask, QUESTION))
            return begun.wait(1.0)

        waiting: list[object] = []
        eventually(taken, "it is served")
        server.stop()
        runner.stop()
        with pytest.raises(Unavailable) as ended:
            waiting[-1].result(LONG_S)  # type: ignore[attr-defined] # a Future
        assert ended.value.code == "away"


class Held:
    """Work that is held until the test lets it go."""

    def __init__(self, threads: int) -> None:
        self.begun, self.free, self.done = Barrier(threads + 1), Event(), list[str]()

    def work(self, name: str, waits: bool = False) -> Callable[[Cancelled], str]:
        def run(cancelled: Cancelled) -> str:
            if waits:
                self.begun.wait(LONG_S)
                self.free.wait(LONG_S)
            self.done.append(name)
            return name

        return run


@pytest.fixture
def held() -> Iterator[tuple[Runner, Held]]:
    """A runner whose one thread is held, so that what is submitted waits."""
    runner, work = Runner(at_once=1, waiting=3), Held(1)
    runner.start()
    runner.submit(work.work("first", waits=True))
    work.begun.wait(LONG_S)
    yield runner, work
    work.free.set()
    runner.stop()


def test_screens_are_worked_on_before_others(held: tuple[Runner, Held]) -> None:
    runner, work = held
    tickets = [
        runner.submit(work.work("export")),
        runner.submit(work.work("screen"), screen=True),
        runner.submit(work.work("command")),
    ]
    work.free.set()
    assert [ticket.future.result(LONG_S) for ticket in tickets] == ["export", "screen", "command"]
    assert work.done == ["first", "screen", "export", "command"]


def test_no_more_wait_than_is_bearable(held: tuple[Runner, Held]) -> None:
    runner, work = held
    for number in range(3):
        assert runner.room() == 3 - number
        runner.submit(work.work(str(number)))
    with pytest.raises(Unavailable, match="3 questions wait already") as told:
        runner.submit(work.work("one more"))
    assert (told.value.code, runner.room()) == ("busy", 0)


def test_what_is_given_up_before_it_begins_does_not_begin(held: tuple[Runner, Held]) -> None:
    runner, work = held
    given_up, other = runner.submit(work.work("given up")), runner.submit(work.work("other"))
    given_up.give_up()
    work.free.set()
    assert other.future.result(LONG_S) == "other"
    assert work.done == ["first", "other"]


def test_a_runner_goes_on_after_a_bug_and_ends_what_waits(held: tuple[Runner, Held]) -> None:
    runner, work = held

    def bug(cancelled: Cancelled) -> str:
        raise ZeroDivisionError

    failed, after = runner.submit(bug), runner.submit(work.work("after"))
    work.free.set()
    with pytest.raises(ZeroDivisionError):
        failed.future.result(LONG_S)
    assert after.future.result(LONG_S) == "after"
    runner.stop()
    with pytest.raises(Unavailable):
        runner.submit(work.work("too late"))


def test_two_questions_are_worked_on_at_once_and_no_more() -> None:
    runner, work = Runner(), Held(2)
    runner.start()
    tickets = [runner.submit(work.work(str(number), waits=number < 2)) for number in range(3)]
    work.begun.wait(LONG_S)
    assert not tickets[2].future.running()
    work.free.set()
    assert sorted(ticket.future.result(LONG_S) for ticket in tickets) == ["0", "1", "2"]
    runner.stop()


def test_an_answer_survives_its_json(dependencies: Dependencies) -> None:
    for question in (QUESTION, Question("wait_p90", HOUR), Question("answer_rate", HOUR, rows=True)):
        found = answer(stores(dependencies), question)
        back = Answer.from_json(found.to_json())
        assert (back, back.rows(), back.more) == (found, found.rows(), found.more)
