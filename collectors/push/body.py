"""Read the body of a push: expanded, never more of it in memory than is allowed, never longer than patience lasts."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

READ_S = 30.0
"""A body that takes longer to arrive than this is given up."""
LONGEST_LENGTH = 18
"""Digits of a Content-Length that are worth reading."""
PIECE = 1 << 20
"""Bytes expanded before other requests have their turn."""


class Refused(Exception):
    """The answer to a push that is not taken."""

    def __init__(
        self, status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.headers = status, dict(headers or {})
        self.body = {"error": code, "detail": detail, **more}


async def read_body(request: Request, most: int, read_s: float = READ_S) -> bytes:
    """The body of at most `most` bytes, before and after decompression; raises Refused."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "not_json", "send Content-Type: application/json")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise Refused(415, "unknown_encoding", "Content-Encoding may be gzip or left out")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > LONGEST_LENGTH or int(length) > most):
        raise _too_large(most)
    try:
        async with asyncio.timeout(read_s):
            chunks = _bounded(request.stream(), most)
            return b"".join([part async for part in (_expanded(chunks, most) if encoding == "gzip" else chunks)])
    except TimeoutError:
        headers = {"Connection": "close"}
        raise Refused(408, "too_slow", f"the body did not arrive within {read_s:g} s", headers) from None
    except ClientDisconnect:
        raise Refused(400, "broken_off", "the body broke off") from None


async def _bounded(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """The chunks until they are more than `most` bytes together."""
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        yield chunk


async def _expanded(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """What one gzip member expands to; what follows it would be lost, so it is refused."""
    expand = zlib.decompressobj(wbits=31)
    size = 0
    async for chunk in chunks:
        rest = chunk
        while rest:
            try:
                part = expand.decompress(rest, PIECE)
            except zlib.error:
                raise _not_gzip("is not the gzip that Content-Encoding says") from None
            size += len(part)
            if size > most:
                raise _too_large(most)
            if expand.unused_data:
                raise _not_gzip("goes on behind the end of its gzip")
            yield part
            rest = expand.unconsumed_tail
            await asyncio.sleep(0)
    if not expand.eof:
        raise _not_gzip("is not a complete gzip")


def _too_large(most: int) -> Refused:
    return Refused(413, "too_large", f"the body may have {most} bytes, before and after decompression")


def _not_gzip(why: str) -> Refused:
    return Refused(400, "unreadable", f"the body {why}")
