"""Answers whatever the family of questions holds, in the process that has the stores open."""

from collections.abc import Callable, Mapping
from typing import Any

from analysis.questions.answer import answer
from analysis.questions.cache import Cache
from analysis.questions.family import AnyAnswer, AnyQuestion, Listing
from analysis.questions.faults import CannotAnswer, Unavailable
from analysis.questions.question import Question
from analysis.questions.stores import Stores
from analysis.questions.sums import Cancelled, never
from config.catalogue import NATION
from store.faults import StoreFault

Lists = Mapping[type, Callable[[Any], Listing]]
"""How each kind of question that is answered by a listing is answered."""


class Answering:
    """Figures from the stores, through a cache; listings from whoever makes them."""

    def __init__(self, stores: Stores, cache: Cache, lists: Lists) -> None:
        self.stores, self.cache, self.lists = stores, cache, lists

    def __call__(self, question: AnyQuestion, scope: str = NATION, cancelled: Cancelled = never) -> AnyAnswer:
        """Answer somebody who may see `scope`; raises CannotAnswer, Unavailable, Stopped."""
        try:
            return self._answer(question, scope, cancelled)
        except StoreFault as error:
            if error.permanent:
                raise
            raise Unavailable(f"the store does not answer: {error}", "away") from error

    def _answer(self, question: AnyQuestion, scope: str, cancelled: Cancelled) -> AnyAnswer:
        if isinstance(question, Question):
            return self.cache.answer(question, scope, lambda: answer(self.stores, question, scope, cancelled))
        if scope != NATION:
            raise CannotAnswer("this is told to those who may see the whole nation", "scope")
        if type(question) not in self.lists:
            raise CannotAnswer("this process does not know that: ask the one that runs the pipeline")
        return self.lists[type(question)](question)
