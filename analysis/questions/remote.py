"""Questions to the process that owns the facts, and its answers, as JSON through Valkey.

A DuckDB file belongs to one process. Others ask that one: who can reach its Valkey, by the socket in its data folder or
by the address that the environment names, may ask. So a question carries whose scope it is under, and is trusted in it.
"""

import json
import logging
import zlib
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic
from typing import Any, overload

from analysis.questions.answer import Answer
from analysis.questions.family import (
    AnyAnswer,
    AnyQuestion,
    Listed,
    Listing,
    answer_from_json,
    question_from_json,
    question_to_json,
)
from analysis.questions.faults import CannotAnswer, Stopped, Unavailable
from analysis.questions.question import Question
from analysis.questions.runner import Runner
from analysis.questions.sums import Cancelled
from analysis.questions.transport import TERMS, Terms
from store.faults import StoreFault, StoreFull
from store.valkey.request_reply import MOST_REPLY, Asker, GivenUp, Request, Server, TooLate

log = logging.getLogger("watchfloor.questions")
REFUSED, UNAVAILABLE, ANSWERED = "refused", "unavailable", "answered"
LOOK_S, AWAY_S = 0.5, 1.0


class Remote:
    """The stores are open in another process."""

    def __init__(self, url: str) -> None:
        self._asker = Asker(url)

    @overload
    def ask(self, question: Question, terms: Terms = TERMS) -> Answer: ...
    @overload
    def ask(self, question: Listed, terms: Terms = TERMS) -> Listing: ...
    def ask(self, question: AnyQuestion, terms: Terms = TERMS) -> AnyAnswer:
        """See `Transport.ask`."""
        body = json.dumps({**question_to_json(question), "scope": terms.scope}).encode()
        try:
            reply = self._asker.ask(body, terms.patience_s, terms.screen, terms.cancelled)
        except GivenUp:
            raise Stopped from None
        except TooLate:
            raise Unavailable(f"there was no answer within {terms.patience_s:g} s", "late") from None
        except StoreFull as error:
            raise Unavailable(str(error), "busy") from error
        except StoreFault as error:
            raise Unavailable(str(error), "away") from error
        except ValueError as error:
            raise CannotAnswer(f"the question is too long: {error}", "too_much") from error
        return _read(question, json.loads(zlib.decompress(reply)))

    def close(self) -> None:
        """Let the connections go."""
        self._asker.close()


def _read(question: AnyQuestion, reply: dict[str, Any]) -> AnyAnswer:
    if REFUSED in reply:
        raise CannotAnswer(reply[REFUSED]["message"], reply[REFUSED]["code"])
    if UNAVAILABLE in reply:
        raise Unavailable(reply[UNAVAILABLE]["message"], reply[UNAVAILABLE]["code"])
    return answer_from_json(question, reply[ANSWERED])


class QuestionServer:
    """Takes questions of other processes and has a runner work on them, beside those of this process.

    It takes no more than the runner has room for: the others wait in Valkey, screens first.
    """

    def __init__(self, url: str, answering: Callable[[AnyQuestion, str, Cancelled], AnyAnswer], runner: Runner) -> None:
        self._server, self._answering, self._runner = Server(url), answering, runner
        self._ended, self._failing = Event(), False
        self._thread = Thread(target=self._run, name="questions of others", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more; what was taken is answered or given up by the runner."""
        self._ended.set()
        self._thread.join()
        try:
            self._server.close()
        except StoreFault:
            log.info("Valkey is away: others learn by silence that no questions are answered here")

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._server.serve()
                if self._runner.room() > 0:
                    self._take()
                else:
                    self._ended.wait(LOOK_S)
                self._failing = False
            except StoreFault as error:
                if not self._failing:
                    log.warning("questions of other processes cannot be taken: %s", error)
                self._failing = True
                self._ended.wait(AWAY_S)

    def _take(self) -> None:
        request = self._server.take()
        if request is None:
            return
        try:
            self._runner.submit(lambda gone: self._reply_to(request, gone), request.screen)
        except Unavailable as error:
            self._server.reply(request, _unavailable(error))

    def _reply_to(self, request: Request, gone: Cancelled) -> None:
        wanted = _Looked(lambda: self._server.wanted(request))
        reply = self._answered(request, lambda: gone() or not wanted())
        if reply is not None:
            self._server.reply(request, reply)

    def _answered(self, request: Request, cancelled: Cancelled) -> bytes | None:
        """The reply to a request; None if nobody waits for it any more."""
        try:
            content = json.loads(request.body)
            found = self._answering(question_from_json(content), str(content.get("scope", "")), cancelled)
        except Stopped:
            return None
        except CannotAnswer as error:
            return _packed({REFUSED: {"message": str(error), "code": error.code}})
        except Unavailable as error:
            return _unavailable(error)
        except Exception:
            log.exception("a question of another process failed")
            return _unavailable(Unavailable("it failed: the log of the process that answers has the reason", "failed"))
        packed = _packed({ANSWERED: found.to_json()})
        if len(packed) > MOST_REPLY:
            return _packed({REFUSED: {"message": "the answer is too large: ask for less at once", "code": "too_much"}})
        return packed


class _Looked:
    """Something that is looked up now and then, and believed in between."""

    def __init__(self, look: Callable[[], bool]) -> None:
        self._look, self._at, self._said = look, 0.0, True

    def __call__(self) -> bool:
        if monotonic() - self._at > LOOK_S:
            self._at = monotonic()
            try:
                self._said = self._look()
            except StoreFault:
                self._said = False
        return self._said


def _packed(reply: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps(reply, ensure_ascii=False).encode())


def _unavailable(error: Unavailable) -> bytes:
    return _packed({UNAVAILABLE: {"message": str(error), "code": error.code}})
