"""What the steps of the pipeline work with; `service/dependencies.py` opens it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from analysis.questions.cache import Touches
from config.catalogue import Catalogue
from config.clock import utc_now
from pipeline.board.board import Board
from store.facts.tiers import TieredHistory
from store.payloads import Payloads
from store.state import State


@dataclass(frozen=True)
class Dependencies:
    """Catalogue, stores, board and clock of one pipeline."""

    catalogue: Catalogue
    history: TieredHistory
    state: State
    payloads: Payloads
    board: Board
    wake: Callable[[], None]
    """Tells the publisher that the board has changed."""
    clock: Callable[[], datetime] = utc_now
    touches: Touches = field(default_factory=Touches)
    """What was written or judged anew, so that answers about it are not kept."""
