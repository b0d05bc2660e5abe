"""What a caller hears of a store that cannot answer: a sentence, never a traceback."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from access.executor import Executor
from service.commands.command_line import main
from service.commands.remote import PATH, route
from store.faults import NotKept


def test_a_question_about_time_that_is_not_kept_is_refused_with_the_reason() -> None:
    def answer(arguments: Sequence[str]) -> str:
        raise NotKept("ask for whole buckets")

    with TestClient(Starlette(routes=[route("token", answer, Executor("questions", 1, 0))])) as caller:
        told = caller.post(PATH, json=["query"], headers={"Authorization": "Bearer token"})
    assert (told.status_code, told.text) == (400, "ask for whole buckets\n")


def test_a_command_whose_store_does_not_answer_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WATCHFLOOR_STATE_URL", "postgresql://postgres@127.0.0.1:1/postgres")
    assert main(["--home", str(tmp_path / "home"), "sources"]) == 1
    assert capsys.readouterr().err.startswith("the database of WATCHFLOOR_STATE_URL does not answer: ")
