"""The push endpoint: `POST /ingest/v1/<channel>`; what it answers 202 is on disk and will be counted.

1. Who: the channel's bearer token.                     401, 404
2. How often, how many at once, how much: bounds.       429, 413, 415, 408
3. What: every record must be countable.                400, 422 with each fault and its record
4. Once: the Idempotency-Key.                           409 if it came before with another body
5. Into the stream on disk, then the answer.            202, or 503 while the stream is full or away

A refused body goes into the stream as well, marked as such, so that the steward sees what a channel could not deliver.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse

from access.executor import Executor, QueueFull
from collectors.push.allowance import Allowance
from collectors.push.body import READ_S, Refused, read_body
from collectors.push.collector import PushCollector
from collectors.receiving import Intake, ReceivingAddress
from metrics.observations import Parsed, Payload, SourceFault

log = logging.getLogger("watchfloor.push_endpoint")
PATH = "/ingest/v1"
"""The address of a channel is below it."""
MOST_FAULTS_TOLD = 100
LONGEST_KEY = 200
COME_BACK_S = 5
"""When to try again while the stream is full or away, or too many bodies wait."""
APPENDS = 8
"""Bodies that are put into the stream at a time: each waits for the disk."""
BODIES_WAITING = 64
"""Bodies in memory that may wait to be parsed, and as many to be put into the stream."""
P = ParamSpec("P")
T = TypeVar("T")


class PushEndpoint:
    """Takes pushes for all channels that have a push source."""

    def __init__(self, collectors: Mapping[str, PushCollector], intake: Intake, read_s: float = READ_S) -> None:
        """`collectors`: those of the pushing sources, by channel."""
        self._collectors, self._intake, self._read_s = collectors, intake, read_s
        self._allowances = {
            channel: Allowance(collector.options.pushes_per_minute) for channel, collector in collectors.items()
        }
        self.parsing = Executor("parse", 1, BODIES_WAITING)
        """One body is parsed at a time: two would share one interpreter and take twice the memory."""
        self.writing = Executor("append", APPENDS, BODIES_WAITING)
        """Everything that goes into the stream; that it hangs keeps nothing else of this process waiting."""

    def addresses(self) -> list[ReceivingAddress]:
        """The one address, which asks for the channel's token."""
        return [ReceivingAddress(f"{PATH}/{{channel}}", self.push)]

    async def push(self, request: Request) -> JSONResponse:
        """Answer one push; never with a 500 for what the sender did."""
        try:
            channel = self._known(request)
            with self._allowances[channel].taken():
                return await self._push(channel, request)
        except Refused as refusal:
            return JSONResponse(refusal.body, refusal.status, refusal.headers)

    def _known(self, request: Request) -> str:
        """Step 1: the token first, so that a stranger learns nothing about channels."""
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        tokens = {name: collector.token() for name, collector in self._collectors.items()}
        opened = [name for name, token in tokens.items() if token and _same(given.strip(), token)]
        if not opened or kind.lower() != "bearer":
            headers = {"WWW-Authenticate": "Bearer", "Connection": "close"}
            raise Refused(401, "unauthorised", "send the channel's token as: Authorization: Bearer …", headers)
        channel = str(request.path_params["channel"])
        if channel not in opened:
            raise Refused(404, "unknown_channel", f"this token opens {PATH}/{opened[0]}, nothing else")
        return channel

    async def _push(self, channel: str, request: Request) -> JSONResponse:
        collector = self._collectors[channel]
        key = _key(request)
        body = await read_body(request, collector.options.body_bytes, self._read_s)
        payload = collector.payload(body, self._intake.clock())
        parsed, fault = await self._run(self.parsing, _parse, collector, payload)
        refusal = _refusal(parsed, fault)
        if refusal is not None:
            await self._run(self.writing, self._refuse, channel, payload)
            raise refusal
        try:
            append, received_at = self._intake.append, payload.fetched_at
            taken = await self._run(self.writing, append, channel, collector.source, key, body, received_at)
        except tuple(self._intake.failures) as error:
            status, code = self._intake.failures[type(error)]
            headers = {"Retry-After": str(COME_BACK_S)} if status >= 500 else {}
            raise Refused(status, code, str(error), headers) from error
        return JSONResponse(
            {"batch": taken.id, "duplicate": taken.duplicate, "observations": parsed.read if parsed else 0}, 202
        )

    async def _run(self, executor: Executor, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What a function gives that works in a thread; raises Refused where too many bodies wait."""
        try:
            return await executor.run(function, *arguments, **named)
        except QueueFull as full:
            raise Refused(503, "busy", str(full), {"Retry-After": str(COME_BACK_S)}) from full

    def _refuse(self, channel: str, payload: Payload) -> None:
        """Tell the steward; if that fails it is our trouble, and the sender still hears what is wrong with his body."""
        try:
            self._intake.refuse(channel, self._collectors[channel].source, payload.data, payload.fetched_at)
        except Exception:
            log.exception("a refused push of %s could not be noted", channel)


def _parse(collector: PushCollector, payload: Payload) -> tuple[Parsed | None, SourceFault | None]:
    """Step 3: what the body holds, or why it cannot be read at all."""
    try:
        return collector.parse_ahead(payload), None
    except SourceFault as fault:
        return None, fault


def _refusal(parsed: Parsed | None, fault: SourceFault | None) -> Refused | None:
    """Why the whole body is refused: it cannot be read, or one of its records cannot be counted."""
    if fault is not None:
        return Refused(400, fault.code, fault.detail)
    if parsed is None or not parsed.rejects:
        return None
    faults = [
        {
            "record": reject.line,
            "rule": reject.rule,
            "column": reject.column,
            "code": reject.code,
            "value": reject.value,
        }
        for reject in parsed.rejects[:MOST_FAULTS_TOLD]
    ]
    counted = 0 if parsed.observations is None else len(parsed.observations)
    detail = f"{parsed.read - counted} of {parsed.read} observations cannot be counted; nothing was taken"
    return Refused(422, "records_rejected", detail, faults=faults)


def _same(given: str, token: str) -> bool:
    return secrets.compare_digest(given.encode(), token.encode())


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Refused(
            400, "no_idempotency_key", f"send a header Idempotency-Key of 1 to {LONGEST_KEY} printable ASCII signs"
        )
    return key
