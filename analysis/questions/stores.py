"""Where answers come from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from analysis.questions.plan import LIMITS, Limits
from config.catalogue import Catalogue
from config.clock import utc_now
from data_quality.grounds import Grounds
from store.facts.history import History
from store.state import State


@dataclass(frozen=True)
class Stores:
    """Catalogue, facts, state, clock, and what one question may cost."""

    catalogue: Catalogue
    history: History
    state: State
    clock: Callable[[], datetime] = utc_now
    limits: Limits = LIMITS
    grounds: Grounds = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "grounds", Grounds(self.catalogue))
