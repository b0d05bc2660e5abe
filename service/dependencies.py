"""What a pipeline works with, opened in order and closed in reverse."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.board.board import Board
from pipeline.dependencies import Dependencies
from store.facts.opening import open_histories, tiers_of
from store.facts.tiers import TieredHistory
from store.payloads import Payloads
from store.state import State, open_state


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
def open_dependencies(
    settings: Settings, catalogue: Catalogue, wake: Callable[[], None] = lambda: None
) -> Iterator[Dependencies]:
    """Open history, state and payloads; raises StoreInUse when another process has the data folder's."""
    make_home(settings)
    with open_history_and_state(settings, catalogue) as (history, state):
        yield Dependencies(catalogue, history, state, Payloads(settings.home_dir / "payloads"), Board(catalogue), wake)


@contextmanager
def open_history_and_state(settings: Settings, catalogue: Catalogue) -> Iterator[tuple[TieredHistory, State]]:
    """Open facts and state; raises StoreInUse as above."""
    with open_histories(settings, catalogue) as histories:
        state = open_state(state_url(settings), catalogue.rules)
        try:
            yield TieredHistory(tiers_of(settings, histories), state.tier_progress, catalogue), state
        finally:
            state.close()
