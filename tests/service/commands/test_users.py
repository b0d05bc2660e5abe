"""`./watchfloor user`: accounts from the command line, with words that say what is wrong."""

import getpass
import stat
from pathlib import Path

import pytest

from config.loading import load
from service.commands.command_line import main
from store.state import open_state


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WATCHFLOOR_PASSWORD", "a long enough word")
    return tmp_path / "home"


def run(home: Path, *arguments: str) -> int:
    return main(["--home", str(home), "user", *arguments])


def test_an_account_is_made_listed_and_shut(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "add", "Li Na", "--region", "440000") == 0
    assert run(home, "add", "chief") == 0
    assert run(home, "disable", "Li Na") == 0
    capsys.readouterr()
    assert run(home, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["name", "Li Na", "chief"]
    assert "province_manager  440000  True" in lines[1]
    assert "executive         100000  False" in lines[2]
    state = open_state(f"sqlite:///{home / 'state.sqlite'}", load().rules)
    assert state.users.verify("chief", "a long enough word") is not None
    assert state.users.verify("Li Na", "a long enough word") is None
    assert [deed.what for deed in state.users.trail()] == ["user_disabled", "user_added", "user_added"]
    state.close()


def test_an_account_has_the_role_that_it_is_given(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(home, "add", "hall", "--role", "wall", "--region", "440000") == 0
    capsys.readouterr()
    assert run(home, "list") == 0
    assert "hall  wall  440000  False" in capsys.readouterr().out


def test_the_data_folder_is_its_owners_alone(home: Path) -> None:
    run(home, "add", "chief")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "x", "--region", "440100"), "neither 100000"),
        (("add", "x", "--region", "710000"), "neither 100000"),
        (("add", "x", "--region", "nowhere"), "neither 100000"),
        (("add", "x", "--role", "boss"), "there are wall, executive, province_manager, steward, administrator"),
        (("add", "x", "--role", "executive", "--region", "440000"), "executive is for a nation"),
        (("add", "x", "--role", "province_manager"), "province_manager is for a province"),
        (("add", ""), "is no name"),
        (("add", " x"), "is no name"),
        (("add", "a\nb"), "is no name"),
        (("add", "n" * 81), "is no name"),
        (("disable", "nobody"), "no account 'nobody'"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert run(home, *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_password_is_long_and_the_same_twice(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHFLOOR_PASSWORD", "short")
    assert run(home, "add", "x") == 2
    assert "10 to 200" in capsys.readouterr().err
    monkeypatch.delenv("WATCHFLOOR_PASSWORD")
    answers = iter(["a long enough word", "another long word", "a long enough word", "a long enough word"])
    monkeypatch.setattr(getpass, "getpass", lambda _: next(answers))
    assert run(home, "add", "x") == 2
    assert "differ" in capsys.readouterr().err
    assert run(home, "add", "x") == 0
