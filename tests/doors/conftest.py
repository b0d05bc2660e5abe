"""Tokens of the senders, and one door for the tests that do not change it."""

from collections.abc import Iterator

import pytest

from tests.doors.door_world import TOKENS, World, world


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, token in TOKENS.items():
        monkeypatch.setenv(f"WATCHFLOOR_TOKEN_{name.upper()}", token)


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("door")) as made:
        yield made


@pytest.fixture
def door(standing: World) -> World:
    """The module's door with nothing in its stream and no refusal told."""
    standing.ingest._client.flushall()
    standing.refusals.clear()
    return standing
