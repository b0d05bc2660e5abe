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
from store.duck import DuckHistory
from store.history import History
from store.payloads import Payloads
from store.state import State, open_state


def utc_now() -> datetime:
    """The clock of the running service."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Parts:
    """What a turn works with."""

    catalogue: Catalogue
    history: History
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


@contextmanager
def open_parts(settings: Settings, catalogue: Catalogue, wake: Callable[[], None] = lambda: None) -> Iterator[Parts]:
    """Open history, state and payloads under the data folder; raises StoreInUse when another process has them."""
    home = settings.home_dir
    home.mkdir(parents=True, exist_ok=True)
    history = DuckHistory(home / "facts.duckdb", catalogue)
    try:
        url = settings.state_url.get_secret_value() if settings.state_url else f"sqlite:///{home / 'state.sqlite'}"
        state = open_state(url, catalogue.rules)
        try:
            yield Parts(catalogue, history, state, Payloads(home / "payloads"), Board(catalogue), wake)
        finally:
            state.close()
    finally:
        history.close()
