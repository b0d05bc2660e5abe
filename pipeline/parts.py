"""The parts that a pipeline is put together from, opened in order and closed in reverse."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.board import Board
from pipeline.tiers import lay_tiers, open_histories
from store.payloads import Payloads
from store.state import State, open_state
from store.tiers import TieredHistory


def utc_now() -> datetime:
    """The clock of the running service."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Parts:
    """What a turn works with."""

    catalogue: Catalogue
    history: TieredHistory
    state: State
    payloads: Payloads
    board: Board
    wake: Callable[[], None]
    """Tells the publisher that the board has changed."""
    clock: Callable[[], datetime] = utc_now


def secret(given: SecretStr | None, file: Path) -> bytes:
    """A key from the environment, or else one made once and kept where only its owner can read it."""
    if given is not None:
        return given.get_secret_value().encode()
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as target:
            target.write(secrets.token_hex(32))
    return file.read_text().strip().encode()


def make_home(settings: Settings) -> None:
    """Make the data folder, if there is none, for nobody but its owner: it holds payloads and password hashes."""
    settings.home_dir.mkdir(parents=True, exist_ok=True, mode=0o700)


def state_url(settings: Settings) -> str:
    """Where users, cursors and cases are kept: the database of the environment, else SQLite under the data folder."""
    own = f"sqlite:///{settings.home_dir / 'state.sqlite'}"
    return settings.state_url.get_secret_value() if settings.state_url else own


@contextmanager
def open_parts(settings: Settings, catalogue: Catalogue, wake: Callable[[], None] = lambda: None) -> Iterator[Parts]:
    """Open history, state and payloads; raises StoreInUse when another process has the data folder's."""
    home = settings.home_dir
    make_home(settings)
    with open_histories(settings, catalogue) as histories:
        state = open_state(state_url(settings), catalogue.rules)
        try:
            history = TieredHistory(lay_tiers(settings, histories), state.standings, catalogue)
            yield Parts(catalogue, history, state, Payloads(home / "payloads"), Board(catalogue), wake)
        finally:
            state.close()
