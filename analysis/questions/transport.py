"""Ways in which a question comes to whoever can answer it; every screen, export and command uses one of them.

`ask` blocks: call it in a thread, never on an event loop.
"""

from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, overload

from analysis.questions.answer import Answer
from analysis.questions.family import AnyAnswer, AnyQuestion, Listed, Listing
from analysis.questions.faults import Stopped, Unavailable
from analysis.questions.question import Question
from analysis.questions.runner import Runner
from analysis.questions.sums import Cancelled, never
from config.catalogue import NATION

LOOK_S = 0.1
"""How often it is looked whether anybody still waits."""


@dataclass(frozen=True)
class Terms:
    """On what terms somebody asks."""

    scope: str = NATION
    """The region that he may see."""
    screen: bool = False
    """Whether somebody looks at a screen and waits: those come first."""
    patience_s: float = 60.0
    cancelled: Cancelled = never
    """Whether he has gone meanwhile; looked at now and then."""


TERMS = Terms()


class Transport(Protocol):
    """Brings questions to whoever can answer them."""

    @overload
    def ask(self, question: Question, terms: Terms = TERMS) -> Answer: ...
    @overload
    def ask(self, question: Listed, terms: Terms = TERMS) -> Listing: ...
    def ask(self, question: AnyQuestion, terms: Terms = TERMS) -> AnyAnswer:
        """Ask and wait; raises CannotAnswer, Unavailable, and Stopped if the asker has gone."""
        ...


class InProcess:
    """The stores are open in this process."""

    def __init__(self, answering: Callable[[AnyQuestion, str, Cancelled], AnyAnswer], runner: Runner) -> None:
        self._answering, self._runner = answering, runner

    @overload
    def ask(self, question: Question, terms: Terms = TERMS) -> Answer: ...
    @overload
    def ask(self, question: Listed, terms: Terms = TERMS) -> Listing: ...
    def ask(self, question: AnyQuestion, terms: Terms = TERMS) -> AnyAnswer:
        """See `Transport.ask`."""
        ticket = self._runner.submit(lambda gone: self._answering(question, terms.scope, gone), terms.screen)
        until = monotonic() + terms.patience_s
        while True:
            try:
                return ticket.future.result(min(LOOK_S, max(0.0, until - monotonic())))
            except CancelledError:
                raise Unavailable("this process is ending", "away") from None
            except TimeoutError:
                if terms.cancelled():
                    ticket.give_up()
                    raise Stopped from None
                if monotonic() >= until:
                    ticket.give_up()
                    raise Unavailable(f"there was no answer within {terms.patience_s:g} s", "late") from None
