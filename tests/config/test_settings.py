"""What an installation may say of itself, and how it hears that it cannot be."""

import os

import pytest

from config.settings import BadSetting, read_settings


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("WATCHFLOOR_"):
            monkeypatch.delenv(name)


def test_nothing_needs_to_be_set() -> None:
    settings = read_settings()
    assert (settings.role, settings.valkey_url, settings.facts_url, settings.state_url) == ("all", None, None, None)


WORKER = {
    "role": "worker", "demo": "0", "nats_url": "nats://h:4222", "valkey_url": "redis://h:1",
    "facts_url": "postgresql://h/f", "state_url": "postgresql+psycopg://h/s", "pseudonym_key": "k",
}  # fmt: skip
WEB = {"role": "web", "demo": "0", "valkey_url": "redis://h:1"}


def _without(name: str) -> dict[str, str]:
    return {key: value for key, value in WORKER.items() if key != name}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"role": "everything"}, "WATCHFLOOR_ROLE is wrong: "),
        ({"port": "many"}, "WATCHFLOOR_PORT is wrong: "),
        ({"role": "pipeline"}, "WATCHFLOOR_DEMO is on"),
        (WEB | {"demo": "1"}, "WATCHFLOOR_DEMO is on"),
        ({"role": "web", "demo": "0"}, "WATCHFLOOR_VALKEY_URL is not set"),
        (WEB | {"access": "login"}, "WATCHFLOOR_STATE_URL is not set"),
        (WEB | {"access": "login", "state_url": "sqlite://"}, "WATCHFLOOR_SESSION_KEY is not set"),
        *((_without(name), f"WATCHFLOOR_{name.upper()} is not set") for name in WORKER if name not in ("role", "demo")),
        ({"role": "pipeline", "demo": "0", "nats_url": "nats://h:4222"}, "WATCHFLOOR_VALKEY_URL is not set"),
    ],
)
def test_what_is_wrong_or_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], said: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"WATCHFLOOR_{name.upper()}", value)
    with pytest.raises(BadSetting, match=f"^{said}"):
        read_settings()


@pytest.mark.parametrize(
    "settings",
    [
        WEB,
        WORKER,
        WORKER | {"role": "pipeline"},
        WEB | {"access": "login", "state_url": "sqlite://", "session_key": "k"},
        {"role": "pipeline", "demo": "0"},
    ],
)
def test_a_role_that_has_what_it_needs_may_start(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"WATCHFLOOR_{name.upper()}", value)
    assert read_settings().role == settings["role"]
