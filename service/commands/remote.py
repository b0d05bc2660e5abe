"""Asking the running service: a DuckDB file belongs to one process, so that process answers for the command line.

The service writes its address and a token of this run into the data folder, readable by its owner
only; who can read the data may ask about them.
"""

import json
import os
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from access.executor import Executor
from analysis.questions.question import CannotAnswer
from store.faults import NotKept

PATH = "/ask/v1"
NOTE = "service.json"
LONGEST_CALL = 8192
ANSWER_S = 120.0


@dataclass(frozen=True)
class Answer:
    """What the service said to a command: text, and the exit code of the call."""

    code: int
    text: str


@contextmanager
def announced(home: Path, address: str) -> Iterator[str]:
    """Tell where the service is while it runs; gives the token that callers must show."""
    token = secrets.token_urlsafe(32)
    note = home / NOTE
    note.unlink(missing_ok=True)
    with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        json.dump({"address": address, "token": token}, target)
    try:
        yield token
    finally:
        note.unlink(missing_ok=True)


def route(token: str, answer: Callable[[Sequence[str]], str], executor: Executor) -> Route:
    """The address that answers calls: a JSON list of arguments in, text out; 400 says what is wrong with a call.

    `executor`: where answers are made.
    """

    async def asked(request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given.encode(), token.encode()):
            return PlainTextResponse("the token is not that of this run", 401)
        length = request.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > LONGEST_CALL:
            return PlainTextResponse("the call is too long", 413)
        try:
            arguments = json.loads(await request.body())
            return PlainTextResponse(await executor.run(answer, [str(word) for word in arguments]))
        except (CannotAnswer, NotKept, ValueError, TypeError) as error:
            return PlainTextResponse(f"{error}\n", 400)

    return Route(PATH, asked, methods=["POST"])


def ask(home: Path, arguments: Sequence[str]) -> Answer | None:
    """Ask the service that holds a data folder; None if none can be reached."""
    try:
        note = json.loads((home / NOTE).read_text())
        request = urllib.request.Request(  # noqa: S310 - an address of our own, from a file of our own
            note["address"] + PATH,
            json.dumps(list(arguments)).encode(),
            {"Authorization": f"Bearer {note['token']}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=ANSWER_S) as response:  # noqa: S310 - as above
            return Answer(0, response.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(2, error.read().decode())
    except (OSError, ValueError, KeyError):
        return None
