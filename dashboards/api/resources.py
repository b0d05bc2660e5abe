"""What there is to be asked for: each list by its name, who may, its parameters and its columns.

Routes, answers, the OpenAPI document and the pages that explain it are all made from these declarations.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.questions.answer import Answer
from analysis.questions.question import Question
from config.actions import Action
from config.catalogue import Catalogue
from dashboards.access.problems import Problem
from dashboards.api.parameters import Parameters
from dashboards.api.tables import Column
from metrics.readings import Snapshot

COME_BACK_S = 5
"""When to try again while there is no snapshot yet."""
Ask = Callable[[Question], Answer]
"""Asks on the terms of whoever sent the request; waits, and raises Problem."""


@dataclass(frozen=True)
class Sight:
    """What an answer may be made from: the catalogue, the newest snapshot, and the region inside which rows may lie."""

    catalogue: Catalogue
    newest: Snapshot | None
    scope: str
    ask: Ask

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; raises Problem 503 before the first."""
        if self.newest is None:
            raise Problem(503, "there are no figures yet", {"Retry-After": str(COME_BACK_S)})
        return self.newest

    def places(self, level: str = "") -> frozenset[str]:
        """The codes of all regions inside the scope, of one level or of every."""
        regions = self.catalogue.regions
        return frozenset(code for code in self.catalogue.below(self.scope) if level in ("", regions[code].level))


@dataclass(frozen=True)
class Found:
    """What a list has inside the scope, of the rows that the parameters choose."""

    frame: pd.DataFrame
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the answer says besides its rows; its members are those of `Resource.about`."""
    next: str | None = None
    """Of rows that come as one page: the cursor of the page after it, '' on the last. None: all rows are here."""


@dataclass(frozen=True)
class Resource:
    """A list below `/api/v1/`; what it is about are the words `api.resource.<name>`."""

    name: str
    action: Action
    parameters: type[Parameters]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """Columns of text that together name a row."""
    read: Callable[[Sight, Any], Found]
    """Raises Problem."""
    live: bool = False
    """Whether it is read off the newest snapshot, so that a generation says whether it has changed."""
    about: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Member -> JSON schema of what an answer says besides its rows."""
    questions: bool = False
    """Whether facts are asked, which may take seconds."""
