"""One HTTP call, bounded in time, bytes and tries; every way in which it can fail is a `SourceFault`."""

import errno
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from access.rate_limit import RateLimit
from metrics.observations import SourceFault

GZIP = 31
"""zlib's window bits for a gzip stream."""
LONGEST_WAIT_S = 30.0
HOPS = 3


@dataclass(eq=False)
class Passing(SourceFault):
    """A fault that may be gone at the next try, a moment later."""

    retry_after_s: float = 0.0


@dataclass(frozen=True)
class Call:
    """What is asked: path under the base address, and query, headers, JSON or form."""

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, Any] | None = None


STATUS_FAULTS = {
    401: ("unauthorised", True),
    403: ("forbidden", True),
    404: ("not_found", True),
    408: ("timeout", False),
    410: ("not_found", True),
    425: ("server_error", False),
    429: ("rate_limited", False),
}


def call_rate(calls_per_minute: float, clock: Callable[[], float]) -> RateLimit:
    """How often a source is called, so that no minute holds more calls than it allows.

    A tenth of the minute's calls may come in one burst, the other nine tenths drip in over the minute.
    """
    return RateLimit(calls_per_minute / 10, calls_per_minute * 0.9 / 60, clock)


@contextmanager
def http_faults() -> Iterator[None]:
    """Turn what httpx raises into faults; its texts are not passed on where they may quote a header."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise Passing("timeout", f"no answer in time ({type(error).__name__})") from error
    except httpx.ConnectError as error:
        raise _connect_fault(error) from error
    except httpx.ProxyError as error:
        raise Passing("unreachable", "the proxy refused the connection") from error
    except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
        raise Passing("unreadable", "the connection broke off before the answer was whole") from error
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise SourceFault("misconfigured", f"the call cannot be sent ({type(error).__name__})", True) from error


def status_fault(response: httpx.Response) -> SourceFault | None:
    """The fault that a status means, None for success; only faults that pass are worth another try."""
    status = response.status_code
    if response.is_success:
        return None
    if response.has_redirect_location:
        host = httpx.URL(response.headers["location"]).host or "another path"
        return SourceFault("rejected_by_source", f"the answer redirects to {host}; redirects are not followed", True)
    code, permanent = STATUS_FAULTS.get(status, ("rejected_by_source", True))
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        code, permanent = "server_error", False
    detail = f"status {status} {response.reason_phrase}".strip()
    return SourceFault(code, detail, True) if permanent else Passing(code, detail, False, retry_after(response))


def retry_after(response: httpx.Response) -> float:
    """Seconds that the source asks to wait, 0 where it does not say."""
    written = response.headers.get("retry-after", "")
    if written.isascii() and written.isdigit():
        return float(written[:9])
    try:
        until = parsedate_to_datetime(written)
    except ValueError:
        return 0.0
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until.tzinfo else 0.0


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """Read an answer of at most `limit` bytes, counted after decompression, without ever holding more."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise SourceFault("unreadable", f"the answer is encoded as {encoding[:20]!r}, which was not asked for")
    inflate = zlib.decompressobj(GZIP) if encoding == "gzip" else None
    body = bytearray()
    async for chunk in response.aiter_raw():
        try:
            body += inflate.decompress(chunk, limit + 1 - len(body)) if inflate else chunk
        except zlib.error as error:
            raise SourceFault("unreadable", "the answer says gzip and is not") from error
        if len(body) > limit:
            raise SourceFault("too_large", f"the answer is larger than {limit} bytes")
    if inflate and not inflate.eof:
        raise Passing("unreadable", "the compressed answer ends too early")
    return bytes(body)


async def send(client: httpx.AsyncClient, request: httpx.Request, limit: int, follow: bool) -> tuple[bytes, str | None]:
    """Send a request once and give body and charset; follows redirects, if at all, within scheme, host and port."""
    with http_faults():
        for _ in range(HOPS + 1):
            response = await client.send(request, stream=True)
            try:
                target = response.next_request
                if not (follow and target and same_origin(request, target)):
                    if fault := status_fault(response):
                        raise fault
                    return await read_body(response, limit), response.charset_encoding
                request = target
            finally:
                await response.aclose()
        raise SourceFault("rejected_by_source", f"more than {HOPS} redirects", True)


def same_origin(one: httpx.Request, other: httpx.Request) -> bool:
    """Whether a redirect stays with scheme, host, port and method, so that no one can steer the call elsewhere."""
    ours, theirs = one.url, other.url
    places = ((url.scheme, url.host, url.port) for url in (ours, theirs))
    return len(set(places)) == 1 and one.method == other.method


def _connect_fault(error: httpx.ConnectError) -> SourceFault:
    cause: Any = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return SourceFault("unreachable", f"the certificate is not trusted: {cause.verify_message}", True)
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            return Passing("refused", "nothing listens at the address")
        cause = cause.__cause__ or cause.__context__
    return Passing("unreachable", "the address cannot be reached")
