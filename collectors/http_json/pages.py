"""One page of an answer as it is kept in a payload: a JSON line with the answer's exact text."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collectors.http_json.options import Request
from collectors.shared.regular_files import open_regular
from metrics.observations import SourceFault

LARGEST_FILE = 256 * 1024 * 1024


@dataclass(frozen=True)
class Page:
    """Which request, which part of the window, which page, and what the source said."""

    request: str
    start: str
    end: str
    page: int
    body: str

    def line(self) -> str:
        """The page as one line of a payload."""
        return json.dumps(vars(self), ensure_ascii=False)


def read_pages(data: bytes) -> list[Page]:
    """Read a payload back; raises SourceFault `unreadable` naming the line."""
    pages = []
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            parts = json.loads(line)
            page = Page(**parts)
        except (ValueError, TypeError, RecursionError) as error:
            raise SourceFault("unreadable", f"line {number} is not a kept page of http_json") from error
        if not (isinstance(page.request, str) and isinstance(page.body, str)):
            raise SourceFault("unreadable", f"line {number}: request and body must be texts")
        pages.append(page)
    return pages


def read_file(path: Path, requests: tuple[Request, ...]) -> list[Page]:
    """Read kept pages (`.jsonl`), or one plain answer; raises SourceFault."""
    with open_regular(path) as file:
        data = file.read_at(0, LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise SourceFault("too_large", f"{path.name} is larger than {LARGEST_FILE} bytes", True)
    if path.suffix == ".jsonl":
        return read_pages(data)
    try:
        body = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceFault("unreadable", f"{path.name}: byte {error.start + 1} is not UTF-8", True) from error
    return [Page(_request_of(path, requests), "", "", 0, body)]


def _request_of(path: Path, requests: tuple[Request, ...]) -> str:
    if len(requests) == 1:
        return requests[0].id
    named = [request.id for request in requests if path.name.split(".")[0] == request.id]
    if not named:
        ids = ", ".join(request.id for request in requests)
        raise SourceFault("misconfigured", f"{path.name}: the file's name must begin with one of {ids} and a dot", True)
    return named[0]


def is_last(answer_records: int, request: Request, cursor: Any) -> bool:
    """Whether an answer ends the paging: no paging, a page that is not full, or no next cursor."""
    paging = request.paging
    if paging is None:
        return True
    return cursor in (None, "") if paging.by == "cursor" else answer_records < paging.size
