"""Poll a JSON interface: `fetch` asks for the windows that are due, `parse` counts the records of its answers."""

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from collectors import Ask, Plan
from collectors.http_json.answers import error_code, records_in, source_words
from collectors.http_json.authorisation import Authorisation
from collectors.http_json.calling import Call, call_rate
from collectors.http_json.hidden_secrets import Secrets
from collectors.http_json.options import Options, Request, check_base_url
from collectors.http_json.pages import Page, is_last, read_file, read_pages
from collectors.http_json.session import Session, parameters
from collectors.http_json.tokens import fill, fill_path, values_of
from collectors.shared.coverage import due, last_interval, next_cursor, slices
from collectors.shared.json_reading import read_json
from collectors.shared.lines import bounded
from collectors.shared.personal_fields import personal_names, without_persons
from collectors.shared.record_counts import RecordCounts
from collectors.shared.record_fields import Unfit, getter
from collectors.shared.records import Counter
from metrics.observations import Interval, Parsed, Payload, SourceFault


class HttpJsonCollector:
    """One JSON interface of one channel."""

    def __init__(self, plan: Plan) -> None:
        self._options: Options = plan.options
        self._interval_s = plan.channel.interval_s
        self._counters = {request.id: Counter.of(plan, request.map) for request in self._options.requests}
        self._zone = next(iter(self._counters.values())).zone
        self._secret, self._secrets = plan.secret, Secrets(plan.secret)
        self._authorisation = Authorisation(self._options.auth, self._secrets)
        self._personal = personal_names(self._options.personal, *(one.map for one in self._options.requests))
        self._key = plan.pseudonym_key
        self._rate = call_rate(self._options.limits.calls_per_minute, time.monotonic)

    def fetch(self, ask: Ask) -> Payload:
        """Ask the interface for what is due; raises SourceFault, in which no secret is ever quoted."""
        try:
            return asyncio.run(self._fetch(ask))
        except SourceFault as fault:
            raise SourceFault(fault.code, self._secrets.hide(fault.detail), fault.permanent) from None

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        """Read kept pages or one plain answer from a file; raises SourceFault."""
        pages = read_file(path, self._options.requests)
        return Payload(self._kept(pages), ask.now, ask.window, path.name, ask.cursor)

    def parse(self, payload: Payload) -> Parsed:
        """Count the records of every page; raises SourceFault where an answer is none."""
        records: dict[str, list[Any]] = {request.id: [] for request in self._options.requests}
        for page in read_pages(payload.data):
            if page.request not in records:
                raise SourceFault("unreadable", f"no request is called {page.request[:50]!r}", True)
            records[page.request] += self._records(page)
        harvest = RecordCounts()
        for request, found in records.items():
            self._counters[request].count(found, payload, harvest)
        counted = self._options.requests[0].map.contact is None
        return Parsed(
            cursor=next_cursor(payload),
            observations=harvest.observations() if counted else None,
            contributions=None if counted else harvest.contributions(),
            rejects=bounded(harvest.rejects),
            read=harvest.read,
            excluded=harvest.excluded,
        )

    def _records(self, page: Page) -> list[Any]:
        request = next(request for request in self._options.requests if request.id == page.request)
        document = read_json(page.body)
        if self._options.errors and (code := error_code(document, self._options.errors)):
            raise SourceFault("rejected_by_source", source_words(document, code, self._options.errors))
        return records_in(document, request.records)

    async def _fetch(self, ask: Ask) -> Payload:
        windows, more = self._windows(ask)
        limits = self._options.limits
        try:
            async with asyncio.timeout(limits.total_s), self._client() as client:
                session = Session(self._options, self._base_url(), client, self._rate)
                pages = [
                    page
                    for window in windows
                    for request in self._options.requests
                    for page in await self._ask(session, request, window)
                ]
        except TimeoutError as error:
            raise SourceFault("timeout", f"the answers were not whole within {limits.total_s:g} s") from error
        covered = Interval(windows[0].start, windows[-1].end)
        return Payload(self._kept(pages), ask.now, covered, self._origin(), ask.cursor, more)

    def _kept(self, pages: list[Page]) -> bytes:
        """The pages as they may be kept: word for word, unless they name persons."""
        if self._personal:
            pages = [replace(page, body=self._nameless(page.body)) for page in pages]
        return "".join(page.line() + "\n" for page in pages).encode()

    def _nameless(self, body: str) -> str:
        return json.dumps(without_persons(read_json(body), self._personal, self._key))

    def _windows(self, ask: Ask) -> tuple[list[Interval], bool]:
        """The slices to ask for, and whether there are more; levels have one, the last interval that has ended."""
        rules = self._options.windows
        if self._options.requests[0].map.time.instant:
            return [last_interval(ask.now, self._interval_s, self._zone)], False
        wanted = due(ask, rules.reach_back_s)
        found = slices(wanted, rules.slice_s, self._zone) or [wanted]
        return found[: rules.per_fetch], len(found) > rules.per_fetch

    async def _ask(self, session: Session, request: Request, window: Interval) -> list[Page]:
        """Follow one request through its pages."""
        pages: list[Page] = []
        cursor: str | int | None = None
        for number in range(request.paging.max_pages if request.paging else 1):
            call = _call(request, values_of(request, window, self._zone, number, cursor))
            answer = await session.ask(call, self._authorisation)
            pages.append(Page(request.id, window.start.isoformat(), window.end.isoformat(), number, answer.text))
            before, cursor = cursor, _next_cursor(request, answer.document)
            if is_last(len(records_in(answer.document, request.records)), request, cursor):
                return pages
            if cursor is not None and cursor == before:
                raise SourceFault("unreadable", f"{request.id}: the answer names its own page as the next one")
        raise SourceFault(
            "too_large", f"{request.id}: more than {len(pages)} pages; shorten slice_s or raise max_pages"
        )

    def _base_url(self) -> str:
        name = self._options.base_url_env
        other = self._secret(name) if name else ""
        try:
            return check_base_url(other) if other else self._options.base_url
        except ValueError as error:
            raise SourceFault("misconfigured", f"environment variable {name}: {error}", True) from error

    def _origin(self) -> str:
        first, *others = (self._base_url().rstrip("/") + request.path for request in self._options.requests)
        return first + (f" (+{len(others)})" if others else "")

    def _client(self) -> httpx.AsyncClient:
        limits, proxy = self._options.limits, self._options.proxy_env
        return httpx.AsyncClient(
            timeout=httpx.Timeout(limits.read_s, connect=limits.connect_s),
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "watchfloor"},
            verify=self._certificates,
            proxy=self._secrets.read(proxy) if proxy else None,
            # The usual proxy variables and a .netrc would send calls, or passwords, where the YAML does not say.
            trust_env=False,
        )

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._options.ca_file)
        except OSError as error:
            raise SourceFault("misconfigured", f"ca_file {self._options.ca_file} cannot be read", True) from error


def _call(request: Request, values: Mapping[str, str | int | None]) -> Call:
    params = parameters(fill(request.params, values))
    return Call(request.method, fill_path(request.path, values), params, request.headers, fill(request.body, values))


def _next_cursor(request: Request, document: Any) -> str | int | None:
    if request.paging is None or request.paging.next is None:
        return None
    try:
        cursor = getter(request.paging.next)(document)
    except Unfit as unfit:
        raise SourceFault("unreadable", f"{request.id}: several next pages at {request.paging.next!r}") from unfit
    if cursor is None or (isinstance(cursor, str | int) and not isinstance(cursor, bool)):
        return cursor
    raise SourceFault("unreadable", f"{request.id}: {request.paging.next!r} is neither text nor number")
