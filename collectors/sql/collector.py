"""Read a channel's database: `fetch` runs the query, `parse` counts its rows."""

from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from collectors import Ask, Plan
from collectors.shared.coverage import due, last_interval, next_cursor, written
from collectors.shared.lines import bounded
from collectors.shared.personal_fields import personal_names, without_persons
from collectors.shared.record_counts import RecordCounts
from collectors.shared.records import Counter
from collectors.shared.regular_files import open_regular
from collectors.sql.options import Options
from collectors.sql.reading import parse_url, read
from collectors.sql.rows import plain_row, read_rows, write_rows
from collectors.sql.watermarks import advanced, begin, held, mark_in, whole_groups
from metrics.observations import Interval, Parsed, Payload, SourceFault

LARGEST = 256 * 1024 * 1024
"""Bytes of rows that a payload or a file may hold."""


class SqlCollector:
    """One query of one channel."""

    def __init__(self, plan: Plan) -> None:
        self._options: Options = plan.options
        self._counter = Counter.of(plan, plan.options.map)
        self._interval_s = plan.channel.interval_s
        self._zone = self._counter.zone
        self._personal = personal_names(self._options.personal, self._options.map)
        self._key, self._home, self._secret = plan.pseudonym_key, plan.home, plan.secret
        self._name = f"{plan.channel.id}/{plan.source.id}"

    def fetch(self, ask: Ask) -> Payload:
        """Run the query for what is due; raises SourceFault."""
        options = self._options
        url = self._url()
        window = self._window(ask)
        found = read(url, options, self._values(window, ask.cursor, url))
        records = [plain_row(found.columns, row) for row in found.rows]
        more = len(records) > options.max_rows
        if more:
            records = records[: self._whole(records, ask.cursor)]
        data = write_rows(without_persons(records, self._personal, self._key))
        if len(data) > LARGEST:
            raise SourceFault("too_large", f"the rows are larger than {LARGEST} bytes; select fewer columns")
        origin = f"{url.get_backend_name()}://{url.host or ''}/{Path(url.database or '').name}"
        return Payload(data, ask.now, window, origin, ask.cursor, more)

    def fetch_file(self, path: Path, ask: Ask) -> Payload:
        """Read a file of rows as JSON lines; raises SourceFault."""
        with open_regular(path) as file:
            data = file.read_at(0, LARGEST + 1)
        if len(data) > LARGEST:
            raise SourceFault("too_large", f"{path.name} is larger than {LARGEST} bytes; split it", True)
        if self._personal:
            # Of a line that is no row nobody knows whom it names, so only its place is kept.
            records = [record if isinstance(record, dict) else "" for record in read_rows(data)]
            data = write_rows(without_persons(records, self._personal, self._key))
        return Payload(data, ask.now, ask.window, path.name, ask.cursor)

    def parse(self, payload: Payload) -> Parsed:
        """Count the rows; raises SourceFault where none can be read."""
        records = read_rows(payload.data)
        harvest = RecordCounts()
        self._counter.count(records, payload, harvest)
        cursor = dict(payload.cursor) if payload.more else next_cursor(payload)
        if rule := self._options.watermark:
            cursor["watermark"] = advanced(rule, payload, records, self._zone)
        counted = self._options.map.contact is None
        return Parsed(
            cursor=cursor,
            observations=harvest.observations() if counted else None,
            contributions=None if counted else harvest.contributions(),
            rejects=bounded(harvest.rejects),
            read=harvest.read,
            excluded=harvest.excluded,
        )

    def _url(self) -> URL:
        options = self._options
        given = self._secret(options.url_env).strip()
        if not given and options.url_default is None:
            raise SourceFault("misconfigured", f"environment variable {options.url_env} is not set", True)
        default = (options.url_default or "").replace("{home}", str(self._home.resolve()))
        return parse_url(given or default, options.url_env if given else "url_default")

    def _window(self, ask: Ask) -> Interval:
        if self._options.map.time.instant:
            return last_interval(ask.now, self._interval_s, self._zone)
        return due(ask, self._options.reach_back_s)

    def _values(self, window: Interval, cursor: dict[str, Any], url: URL) -> dict[str, Any]:
        """What the query's parameters are bound to."""
        rule = self._options.watermark
        all_of_them: dict[str, Any] = {"start": window.start, "end": window.end}
        if rule is not None:
            all_of_them["watermark"] = begin(rule, cursor)
        return {name: self._bound(all_of_them[name], url) for name in self._options.bound}

    def _bound(self, value: Any, url: URL) -> Any:
        times = self._options.times
        if not isinstance(value, datetime):
            return value
        if times == "local":
            return value.astimezone(self._zone).replace(tzinfo=None)
        if times != "native":
            return written(value, times, self._zone)
        if url.get_backend_name() == "sqlite":
            raise SourceFault(
                "misconfigured", "SQLite has no type for times: say under `times` how they are written", True
            )
        return value

    def _whole(self, records: list[dict[str, Any]], cursor: dict[str, Any]) -> int:
        rule = self._options.watermark
        if rule is None:
            raise SourceFault("too_large", f"{self._name}: more than {self._options.max_rows} rows and no watermark")
        return whole_groups([mark_in(record, rule, self._zone) for record in records], held(rule, cursor))
