"""The tiers of facts: where each lives and how long it keeps what."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from config.catalogue import Catalogue
from config.settings import BadSetting, Settings
from store.facts.history import History
from store.facts.tiers import Tier

RAW, QUARTER, DAILY = "raw", "quarter", "daily"
QUARTERS_AT_ONCE = 4
"""An hour of one channel is read at once: a million rows at the reference load."""


def tiers_of(settings: Settings, histories: dict[str, History]) -> tuple[Tier, ...]:
    """The tiers over three open histories, each kept as long as the environment says."""
    days = {RAW: settings.raw_days, QUARTER: settings.quarter_days, DAILY: settings.daily_years * 366}
    keep = {name: timedelta(days=number) for name, number in days.items()}
    return (
        Tier(RAW, histories[RAW], keep[RAW]),
        Tier(QUARTER, histories[QUARTER], keep[QUARTER], "15min", at_once=QUARTERS_AT_ONCE),
        Tier(DAILY, histories[DAILY], keep[DAILY], "day", with_instants=False),
    )


@contextmanager
def open_histories(settings: Settings, catalogue: Catalogue) -> Iterator[dict[str, History]]:
    """The history of each tier, all of the engine that the environment names; raises BadSetting, StoreInUse."""
    with ExitStack() as stack:
        opened: dict[str, History] = {}
        for name in (RAW, QUARTER, DAILY):
            opened[name] = open_history(settings, catalogue, "" if name == RAW else f"_{name}")
            stack.callback(opened[name].close)
        yield opened


def open_history(settings: Settings, catalogue: Catalogue, suffix: str) -> History:
    """One store of facts of the engine that the environment names; raises BadSetting, StoreInUse.

    Each engine is imported only where it is used: its libraries cost start-up time and memory.
    """
    url = settings.facts_url.get_secret_value() if settings.facts_url else ""
    scheme = url.partition("://")[0]
    if not url:
        from store.facts.duck import DuckHistory  # noqa: PLC0415 - only where it is used

        return DuckHistory(settings.home_dir / f"facts{suffix}.duckdb", catalogue)
    if scheme == "postgresql":
        from store.facts.postgres import PostgresHistory  # noqa: PLC0415 - only where it is used

        return PostgresHistory(in_schema(url, suffix), catalogue)
    if scheme == "clickhouse":
        from store.facts.clickhouse import ClickHouseHistory  # noqa: PLC0415 - only where it is used

        return ClickHouseHistory(in_database(url, suffix), catalogue)
    raise BadSetting(
        "facts_url", f"begins with {scheme!r}; it is postgresql://… or clickhouse://…, or unset for DuckDB"
    )


def in_schema(url: str, suffix: str) -> str:
    """A PostgreSQL address whose schema has a suffix: `public` where it names none."""
    if not suffix:
        return url
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    options = query.get("options", "")
    named = re.search(r"search_path=(\w+)", options)
    query["options"] = f"{options} -csearch_path={named[1] if named else 'public'}{suffix}".strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


def in_database(url: str, suffix: str) -> str:
    """A ClickHouse address whose database has a suffix."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}{suffix}"))
