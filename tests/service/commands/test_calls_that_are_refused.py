"""What a caller hears of a store that cannot answer: a sentence, never a traceback."""

from pathlib import Path

import pytest

from service.commands.command_line import main


def test_a_command_whose_store_does_not_answer_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WATCHFLOOR_STATE_URL", "postgresql://postgres@127.0.0.1:1/postgres")
    assert main(["--home", str(tmp_path / "home"), "sources"]) == 1
    assert capsys.readouterr().err.startswith("the database of WATCHFLOOR_STATE_URL does not answer: ")
