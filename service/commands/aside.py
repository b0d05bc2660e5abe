"""What was kept aside: `./watchfloor aside list | show | replay | discard`, beside the running service or without it.

Listing and showing ask whoever holds the facts. What is to be done goes by the state: the command writes down who wants
what and why, and the running service does it within seconds; where none runs, the command does it itself.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from analysis.questions.family import AnyAnswer, AsideQuestion, AsideShowQuestion, Listing
from analysis.questions.faults import CannotAnswer
from config.catalogue import Catalogue
from config.clock import utc_now
from config.settings import Settings
from metrics.observations import Interval
from pipeline.flow.aside_deeds import carry_out
from pipeline.flow.aside_listing import KINDS
from pipeline.flow.feeder import receiving
from service.commands.arguments import Commands, range_of
from service.commands.users import operator
from service.dependencies import make_home, open_dependencies, state_url
from service.questions import ask
from service.sources import feeders
from store.faults import StoreInUse
from store.state import State, open_state
from store.state.aside_requests import AsideDeed, AsideRequest, Outcome
from wording.documents import as_text

FAILED = 1
LIMIT = 1000
LONGEST_NAME, LONGEST_REASON = 80, 500
BEGIN = "2000-01-01"
"""Where a range begins that has only an end: before anything that was ever kept."""
LOOK_S, TRY_S = 0.3, 5.0
"""How often the outcome is looked for; how often it is tried whether the facts are free."""
PICKED_UP_S = 10.0
"""Facts that several processes share say nothing of a running service: after so long there is none."""
LONGEST_S = 300.0


def add(commands: Commands) -> None:
    """Add the commands below `aside`."""
    aside = commands.add_parser("aside", help="what was not counted: list, show, replay, discard")
    deeds = aside.add_subparsers(required=True, metavar="DEED")
    _add_list(deeds.add_parser("list", help="records that were not counted, and pushed bodies, newest first"))
    shown = deeds.add_parser("show", help="all that is known of one of them, but its contents")
    shown.add_argument("id", metavar="ID")
    shown.add_argument("--bytes", type=Path, metavar="FILE", help="write the body's bytes into a new file; needs --by")
    shown.add_argument("--by", metavar="NAME", help="who reads them; noted in the audit trail")
    shown.add_argument("--format", choices=("table", "json"), default="table")
    shown.set_defaults(command=_show)
    for deed, purpose in (
        (AsideDeed.REPLAY, "have a body counted after all, by the same steps; twice changes nothing"),
        (AsideDeed.DISCARD, "let a body's bytes go for good; it stays listed"),
    ):
        command = deeds.add_parser(deed.value, help=purpose)
        command.add_argument("id", metavar="ID")
        command.add_argument("--by", required=True, metavar="NAME", help="who decides it")
        command.add_argument("--reason", required=True, metavar="TEXT", help="why")
        command.set_defaults(command=partial(_settle, deed))


def _add_list(command: argparse.ArgumentParser) -> None:
    command.add_argument("--channel", metavar="ID")
    command.add_argument("--from", dest="begin", metavar="TIME", help="received since; as for query")
    command.add_argument("--to", dest="end", metavar="TIME", help="received before")
    command.add_argument("--kind", choices=KINDS, action="append", help="may be given several times; all by default")
    command.add_argument("--limit", type=int, default=LIMIT, metavar="N", help=f"the newest N (default {LIMIT})")
    command.add_argument("--format", choices=("table", "json"), default="table")
    command.set_defaults(command=_list)


def _list(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    wanted = AsideQuestion(asked.channel, _received(catalogue, asked), tuple(asked.kind or ()), asked.limit)
    found: AnyAnswer = ask(settings, catalogue, wanted)
    print(as_text(found.rows(), asked.format), end="")
    if isinstance(found, Listing) and found.more and asked.format == "table":
        print(f"the newest {asked.limit}; for older ones narrow --from and --to, or raise --limit")
    return 0


def _received(catalogue: Catalogue, asked: argparse.Namespace) -> Interval | None:
    """The range of a call, either end of which may be left out; None: both are."""
    if asked.begin is None and asked.end is None:
        return None
    tomorrow = (utc_now() + timedelta(days=1)).isoformat()
    bounds = argparse.Namespace(begin=asked.begin or BEGIN, end=asked.end or tomorrow)
    return range_of(bounds, catalogue)


def _shown(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    [found] = ask(settings, catalogue, AsideShowQuestion(asked.id)).rows()
    if asked.format == "json":
        rows = [{**found["about"], "record_list": found["records"], "requests": found["requests"]}]
        print(as_text(rows, "json"), end="")
        return 0
    about = [{"what": name, "value": value} for name, value in found["about"].items() if value not in ("", None)]
    tables = (as_text(rows, "table") for rows in (about, found["records"], found["requests"]))
    print("\n".join(text for text in tables if text), end="")
    return 0


def _show(settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    """Tell what is known, or write the bytes: those are in the state, which needs nobody's leave but the file's."""
    if asked.bytes is None:
        return _shown(settings, catalogue, asked)
    who = _text("--by", asked.by or "", LONGEST_NAME)
    with _state(settings, catalogue) as state:
        body, data = state.aside.find(asked.id), state.aside.data(asked.id)
        if body is None:
            raise _unknown(asked.id)
        if data is None:
            raise CannotAnswer(f"{asked.id} was {body.state} by {body.who}: its bytes are not kept aside any more")
        state.users.note(utc_now(), who, "aside_read", f"{body.id} of {body.channel}, batch {body.batch}: {operator()}")
        _write(asked.bytes, data)
    return 0


def _write(file: Path, data: bytes) -> None:
    """A new file that nobody but its owner can read."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            target.write(data)
    except OSError as error:
        raise CannotAnswer(f"--bytes {file}: {error.strerror}; name a file that does not exist yet") from error


def _settle(deed: AsideDeed, settings: Settings, catalogue: Catalogue, asked: argparse.Namespace) -> int:
    """Have something done with a body, and tell what came of it."""
    who, why = _text("--by", asked.by, LONGEST_NAME), _text("--reason", asked.reason, LONGEST_REASON)
    with _state(settings, catalogue) as state:
        if state.aside.find(asked.id) is None:
            raise _unknown(asked.id)
        number = state.aside_requests.ask(asked.id, deed, who, f"{why} [{operator()}]", utc_now())
        request = _awaited(settings, catalogue, state, number)
    if request is None or request.outcome is None:
        print(f"not done within {LONGEST_S:.0f} s; it will be: see ./watchfloor aside show {asked.id}", file=sys.stderr)
        return FAILED
    told = _told(catalogue, deed, request.outcome)
    print(told, file=None if request.outcome.done else sys.stderr)
    return 0 if request.outcome.done else FAILED


def _awaited(settings: Settings, catalogue: Catalogue, state: State, number: int) -> AsideRequest | None:
    """The request once it is done: by the running service, or here where nobody else holds the facts."""
    began, tried = time.monotonic(), float("-inf")
    patience_s = 0.0 if settings.facts_url is None else PICKED_UP_S
    while (request := state.aside_requests.find(number)) is not None and request.outcome is None:
        now = time.monotonic()
        if now - began > LONGEST_S:
            return request
        if request.taken_at is None and now - began >= patience_s and now - tried >= TRY_S:
            tried = now
            if _done_here(settings, catalogue):
                continue
        _progress(now - began)
        time.sleep(LOOK_S)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return request


def _done_here(settings: Settings, catalogue: Catalogue) -> bool:
    """Do all that is asked for in this process; False: another one holds the facts."""
    own = receiving(feeders(settings, catalogue))
    with suppress(StoreInUse), open_dependencies(settings, catalogue) as dependencies:
        carry_out(dependencies, own)
        return True
    return False


def _progress(seconds: float) -> None:
    """A line that says what is waited for; again and again on a terminal, once elsewhere."""
    line = "waiting for the running service"
    if sys.stderr.isatty():
        print(f"\r{line}: {seconds:.0f} s", end="", file=sys.stderr, flush=True)
    elif seconds < LOOK_S:
        print(line, file=sys.stderr)


def _told(catalogue: Catalogue, deed: AsideDeed, outcome: Outcome) -> str:
    if outcome.code.startswith("already_"):
        return f"{outcome.code.replace('_', ' ')}: nothing was changed"
    if not outcome.done:
        reasons = (_words(catalogue, code) for code in (outcome.code, outcome.detail) if code)
        return f"{deed} failed, it is still kept aside: {': '.join(reasons)}"
    counts = f": {outcome.counted} observations count, {outcome.rejected} records do not"
    return outcome.code + (counts if deed is AsideDeed.REPLAY else "")


def _words(catalogue: Catalogue, code: str) -> str:
    text = catalogue.words.get(f"fault.{code}") or catalogue.words.get(f"reject.{code}")
    return code if text is None else text.en


def _unknown(id: str) -> CannotAnswer:
    return CannotAnswer(f"nothing is kept aside as {id!r}; see: aside list (records cannot be replayed or discarded)")


def _text(option: str, given: str, longest: int) -> str:
    if not 0 < len(given.strip()) <= longest or not given.isprintable():
        raise CannotAnswer(f"{option} needs 1 to {longest} printable signs")
    return given.strip()


@contextmanager
def _state(settings: Settings, catalogue: Catalogue) -> Iterator[State]:
    make_home(settings)
    state = open_state(state_url(settings), catalogue.rules)
    try:
        yield state
    finally:
        state.close()
