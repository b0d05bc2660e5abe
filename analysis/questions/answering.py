"""Answers whatever the family of questions holds, in the process that has the stores open."""

from collections.abc import Callable, Mapping
from typing import Any

from analysis.questions.answer import answer
from analysis.questions.cache import Cache
from analysis.questions.family import AnyAnswer, AnyQuestion, Listing
from analysis.questions.question import CannotAnswer, Question
from analysis.questions.stores import Stores
from analysis.questions.sums import Cancelled, never
from config.catalogue import NATION

Lists = Mapping[type, Callable[[Any], Listing]]
"""How each kind of question that is answered by a listing is answered."""


class Answering:
    """Figures from the stores, through a cache; listings from whoever makes them."""

    def __init__(self, stores: Stores, cache: Cache, lists: Lists) -> None:
        self.stores, self.cache, self.lists = stores, cache, lists

    def __call__(self, question: AnyQuestion, scope: str = NATION, cancelled: Cancelled = never) -> AnyAnswer:
        """Answer somebody who may see `scope`; raises CannotAnswer, Stopped."""
        if isinstance(question, Question):
            return self.cache.answer(question, scope, lambda: answer(self.stores, question, scope, cancelled))
        if scope != NATION:
            raise CannotAnswer("this is told to those who may see the whole nation", "scope")
        if type(question) not in self.lists:
            raise CannotAnswer("this process does not know that: ask the one that runs the pipeline")
        return self.lists[type(question)](question)
