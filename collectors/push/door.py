"""The push door: `POST /ingest/v1/<channel>`; what it answers 202 is on disk and will be counted.

1. Who: the channel's bearer token.            401, 404
2. How often and how much: rate, body size.    429, 413, 415
3. What: every record must be countable.       400, 422 with each fault, its record, and how to mend it
4. Once: the Idempotency-Key.                  409 if it came before with another body
5. Into the stream on disk, then the answer.   202, or 503 while the stream is full or away

A refused body is told to `refused`, so that the steward sees what a channel could not deliver.
"""

import asyncio
import secrets
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from collectors.push import PushCollector
from metrics.observations import Parsed, Payload, SourceFault

MOST_FAULTS_TOLD = 100
LONGEST_KEY = 200
READ_S = 30.0
"""A body that takes longer to arrive than this is given up."""


class Refused(Exception):
    """The answer to a push that is not taken."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.body = status, {"error": code, "detail": detail, **more}


class Taken(Protocol):
    """What the stream answers to an append."""

    @property
    def id(self) -> str:
        """Name of the batch."""
        ...

    @property
    def duplicate(self) -> bool:
        """Whether the same key came before with the same body."""
        ...


@dataclass
class Allowance:
    """So many pushes a minute, evenly refilled."""

    per_minute: int
    left: float = field(init=False)
    at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.left = float(self.per_minute)

    def wait_s(self) -> float:
        """0 if one more push may come now (and takes it), else the seconds to wait."""
        now = time.monotonic()
        self.left = min(self.per_minute, self.left + (now - self.at) * self.per_minute / 60)
        self.at = now
        if self.left >= 1:
            self.left -= 1
            return 0.0
        return (1 - self.left) * 60 / self.per_minute


class Door:
    """Takes pushes for all channels that have a push source."""

    def __init__(
        self,
        collectors: Mapping[str, PushCollector],
        append: Callable[[str, str, bytes, datetime], Taken],
        refused: Callable[[str, Payload, Parsed | None, SourceFault | None], None],
        clock: Callable[[], datetime],
        failures: Mapping[type[Exception], tuple[int, str]],
    ) -> None:
        """`failures`: what `append` may raise, and the status and code that tell the sender."""
        self.collectors, self.append, self.refused = collectors, append, refused
        self.clock, self.failures = clock, failures
        self.allowances = {name: Allowance(one.options.pushes_per_minute) for name, one in collectors.items()}

    def routes(self) -> list[Route]:
        """The routes of the door."""
        return [Route("/ingest/v1/{channel}", self.push, methods=["POST"])]

    async def push(self, request: Request) -> JSONResponse:
        """Answer one push; never with a 5xx for what the sender did."""
        try:
            return await self._push(request)
        except Refused as refusal:
            headers = {"Retry-After": str(refusal.body["retry_after_s"])} if "retry_after_s" in refusal.body else {}
            return JSONResponse(refusal.body, refusal.status, headers)

    async def _push(self, request: Request) -> JSONResponse:
        channel = str(request.path_params["channel"])
        collector = self._admit(channel, request)
        key = _key(request)
        body = await _body(request, collector.options.body_bytes)
        payload = collector.payload(body, self.clock())
        count = await asyncio.to_thread(self._check, channel, collector, payload)
        try:
            taken = await asyncio.to_thread(self.append, channel, key, body, payload.fetched_at)
        except tuple(self.failures) as error:
            status, code = self.failures[type(error)]
            more = {"retry_after_s": 5} if status >= 500 else {}
            raise Refused(status, code, str(error), **more) from error
        answer = {"batch": taken.id, "duplicate": taken.duplicate, "observations": count}
        return JSONResponse(answer, 202)

    def _admit(self, channel: str, request: Request) -> PushCollector:
        """Steps 1 and 2: token first, so that a stranger learns nothing about channels."""
        collector = self.collectors.get(channel)
        token = collector.token() if collector else ""
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        matches = secrets.compare_digest(given.strip().encode(), token.encode())
        if collector is None or not token or kind.lower() != "bearer" or not matches:
            raise Refused(401, "unauthorised", "send the channel's token as: Authorization: Bearer …")
        wait = self.allowances[channel].wait_s()
        if wait:
            limit = collector.options.pushes_per_minute
            raise Refused(429, "rate_limited", f"{limit} pushes a minute are taken", retry_after_s=max(1, round(wait)))
        return collector

    def _check(self, channel: str, collector: PushCollector, payload: Payload) -> int:
        """Step 3: parse, and refuse the whole body if any record cannot be counted."""
        try:
            parsed = collector.parse(payload)
        except SourceFault as fault:
            self.refused(channel, payload, None, fault)
            raise Refused(400, fault.code, fault.detail) from fault
        if parsed.rejects:
            self.refused(channel, payload, parsed, None)
            told = [
                {"record": one.line, "rule": one.rule, "column": one.column, "code": one.code, "value": one.value}
                for one in parsed.rejects[:MOST_FAULTS_TOLD]
            ]
            detail = f"{len(parsed.rejects)} of {parsed.read} observations cannot be counted; nothing was taken"
            raise Refused(422, "records_rejected", detail, faults=told)
        return parsed.read


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Refused(
            400, "no_idempotency_key", f"send a header Idempotency-Key of 1 to {LONGEST_KEY} printable ASCII signs"
        )
    return key


async def _body(request: Request, most: int) -> bytes:
    """Step 2: the body, expanded, never more than `most` bytes of it in memory."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "not_json", "send Content-Type: application/json")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Refused(415, "unknown_encoding", "Content-Encoding may be gzip or left out")
    expand = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(READ_S):
            async for chunk in request.stream():
                part = expand.decompress(chunk, most + 1 - size) if expand and chunk else chunk
                size += len(part)
                if size > most:
                    raise Refused(413, "too_large", f"the body may have {most} bytes, counted after decompression")
                parts.append(part)
    except zlib.error:
        raise Refused(400, "unreadable", "the body is not the gzip that Content-Encoding says") from None
    except TimeoutError:
        raise Refused(408, "too_slow", f"the body did not arrive within {READ_S:.0f} s") from None
    except ClientDisconnect:
        raise Refused(400, "broken_off", "the body broke off") from None
    if expand is not None and not expand.eof:
        raise Refused(400, "unreadable", "the gzip body is not complete")
    return b"".join(parts)
