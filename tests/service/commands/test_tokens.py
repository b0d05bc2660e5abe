"""`./watchfloor access tokens`: shown once, listed without what is shown, revoked, and every deed in the trail."""

from datetime import timedelta
from pathlib import Path

import pytest

from config.loading import load
from service.commands.command_line import main
from store.state import State, open_state


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(home: Path, *arguments: str) -> int:
    return main(["--home", str(home), "access", "tokens", *arguments])


def opened(home: Path) -> State:
    return open_state(f"sqlite:///{home / 'state.sqlite'}", load().rules)


def test_a_token_is_shown_once_listed_and_revoked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ("add", "--name", "billing", "--role", "province_manager", "--region", "440000", "--days", "30")
    assert run(home, *made) == 0
    printed = capsys.readouterr()
    [shown] = printed.out.split()
    state = opened(home)
    token = state.tokens.find(shown)
    assert token is not None
    assert token.id in printed.err
    assert shown not in printed.err
    assert (token.role, token.region, token.expires_at - token.created_at) == (
        "province_manager",
        "440000",
        timedelta(days=30),
    )
    assert run(home, "list") == 0
    listed = capsys.readouterr().out
    assert f"{token.id}  billing  province_manager  440000" in listed
    assert shown not in listed
    assert run(home, "revoke", token.id) == 0
    assert state.tokens.find(shown) is None
    deeds = state.users.trail()
    assert [(deed.what, deed.detail) for deed in deeds] == [
        ("token_revoked", token.id),
        ("token_added", f"{token.id} billing province_manager 440000 30 days"),
    ]
    state.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--role": "boss"}, "there are wall, executive, province_manager, steward, administrator"),
        ({"--role": "administrator", "--region": "440000"}, "administrator is for a nation"),
        ({"--region": "440100"}, "neither 100000"),
        ({"--name": " x"}, "is no name"),
        ({"--name": ""}, "is no name"),
        ({"--days": "0"}, "1 to 730 days"),
        ({"--days": "731"}, "1 to 730 days"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    home: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], said: str
) -> None:
    asked = {"--name": "billing", "--role": "steward", "--region": "440000", "--days": "30"} | changes
    assert run(home, "add", *[word for pair in asked.items() for word in pair]) == 2
    assert said in capsys.readouterr().err


def test_only_a_token_that_is_there_can_be_revoked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "revoke", "12345678") == 2
    assert "no token '12345678'" in capsys.readouterr().err
