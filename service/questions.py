"""Who answers questions in a process.

The process that has the pipeline answers its own and, through Valkey, those of others: with facts in DuckDB nobody else
can. A web process answers for figures itself where facts and state are in servers. A command opens the stores if it
can, and else asks the process that has them.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Lock
from typing import overload

from analysis.questions.answer import Answer
from analysis.questions.answering import Answering
from analysis.questions.cache import Cache, RecordedStamps
from analysis.questions.family import AnyAnswer, AnyQuestion, Listed, Listing
from analysis.questions.faults import Unavailable
from analysis.questions.plan import Limits
from analysis.questions.question import Question
from analysis.questions.remote import QuestionServer, Remote
from analysis.questions.runner import Runner
from analysis.questions.stores import Stores
from analysis.questions.sums import Cancelled
from analysis.questions.transport import TERMS, InProcess, Terms, Transport
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.dependencies import Dependencies
from service.dependencies import open_dependencies, open_history_and_state
from service.listings import lists_of
from service.valkey import valkey_url
from store.faults import StoreFault, StoreInUse


def answering(settings: Settings, dependencies: Dependencies) -> Answering:
    """Answers with the stores of a pipeline."""
    limits = Limits(settings.question_cells, settings.question_rows)
    stores = Stores(dependencies.catalogue, dependencies.history, dependencies.state, dependencies.clock, limits)
    return Answering(stores, Cache(stores, dependencies.touches), lists_of(dependencies))


@contextmanager
def answered_here(settings: Settings, dependencies: Dependencies) -> Iterator[InProcess]:
    """Answer this process and, through Valkey, all others, until it is left."""
    runner, own = Runner(), answering(settings, dependencies)
    server = QuestionServer(valkey_url(settings), own, runner)
    runner.start()
    server.start()
    try:
        yield InProcess(own, runner)
    finally:
        server.stop()
        runner.stop()


@contextmanager
def asked_by_web(settings: Settings, catalogue: Catalogue) -> Iterator[Transport]:
    """How a web process without a pipeline asks."""
    with closing(Remote(valkey_url(settings))) as remote:
        if settings.facts_url is None or settings.state_url is None:
            yield remote
            return
        runner, own = Runner(), _OwnStores(settings, catalogue)
        runner.start()
        try:
            yield _Web(InProcess(own, runner), remote)
        finally:
            runner.stop()
            own.close()


def ask(settings: Settings, catalogue: Catalogue, question: AnyQuestion) -> AnyAnswer:
    """Answer a command; raises CannotAnswer, Unavailable."""
    try:
        with open_dependencies(settings, catalogue) as dependencies:
            return answering(settings, dependencies)(question)
    except StoreInUse as in_use:
        with closing(Remote(valkey_url(settings))) as remote:
            try:
                return remote.ask(question, Terms(patience_s=PATIENCE_S))
            except Unavailable as error:
                if error.code != "away":
                    raise
                raise Unavailable(f"{in_use}\nIt could not be asked: {error}", error.code) from error


PATIENCE_S = 120.0


class _OwnStores:
    """Stores of a web process, opened with the first question: it must be able to start before they can be reached."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings, self._catalogue, self._lock = settings, catalogue, Lock()
        self._opened = open_history_and_state(settings, catalogue)
        self._answering: Answering | None = None

    def __call__(self, question: AnyQuestion, scope: str, cancelled: Cancelled) -> AnyAnswer:
        """See `Answering`."""
        with self._lock:
            if self._answering is None:
                self._answering = self._open()
        return self._answering(question, scope, cancelled)

    def _open(self) -> Answering:
        self._opened = open_history_and_state(self._settings, self._catalogue)
        try:
            history, state = self._opened.__enter__()
        except StoreFault as error:
            raise Unavailable(f"the store does not answer: {error}", "away") from error
        limits = Limits(self._settings.question_cells, self._settings.question_rows)
        stores = Stores(self._catalogue, history, state, limits=limits)
        return Answering(stores, Cache(stores, RecordedStamps(state.past)), {})

    def close(self) -> None:
        """Let the stores go."""
        if self._answering is not None:
            self._opened.__exit__(None, None, None)


class _Web:
    """Figures from the own stores, listings from the process that has the pipeline."""

    def __init__(self, own: InProcess, remote: Remote) -> None:
        self._own, self._remote = own, remote

    @overload
    def ask(self, question: Question, terms: Terms = TERMS) -> Answer: ...
    @overload
    def ask(self, question: Listed, terms: Terms = TERMS) -> Listing: ...
    def ask(self, question: AnyQuestion, terms: Terms = TERMS) -> AnyAnswer:
        """See `Transport.ask`."""
        return self._own.ask(question, terms) if isinstance(question, Question) else self._remote.ask(question, terms)
