"""Fill the tokens `{start}`, `{end}`, `{last}`, `{page}`, `{offset}` and `{cursor}` into what a source is asked."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from collectors.http_json.options import TOKENS, Request
from collectors.shared.coverage import written
from metrics.observations import Interval

Values = Mapping[str, str | int | None]
"""Token with its braces -> value; None: there is none yet, so what it stands in alone is left out."""


def values_of(request: Request, window: Interval, zone: ZoneInfo, page: int, cursor: str | int | None) -> Values:
    """The tokens of one page (counted from 0) of one window."""
    times = (window.start, window.end, window.end - timedelta(seconds=1))
    paging = request.paging
    numbers = (paging.first + page, page * paging.size) if paging else (1, 0)
    filled = (*(written(moment, request.times, zone) for moment in times), *numbers, cursor)
    return dict(zip(TOKENS, filled, strict=True))


def fill(template: Any, values: Values) -> Any:
    """Fill a JSON-like template; a text that is one token alone takes the token's own type."""
    if isinstance(template, dict):
        filled = {name: fill(part, values) for name, part in template.items()}
        return {name: part for name, part in filled.items() if part is not None or template[name] is None}
    if isinstance(template, list | tuple):
        return [fill(part, values) for part in template]
    if not isinstance(template, str):
        return template
    return values[template] if template in values else _replace(template, values)


def fill_path(path: str, values: Values) -> str:
    """Fill a URL's path; a value can never open a new path segment or a query."""
    quoted = {token: quote(str(value), safe="") for token, value in values.items() if value is not None}
    return _replace(path, dict.fromkeys(values, "") | quoted)


def _replace(text: str, values: Values) -> str:
    for token, value in values.items():
        text = text.replace(token, "" if value is None else str(value))
    return text
