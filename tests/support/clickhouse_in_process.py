"""ClickHouse's current engine inside the test process (chDB), behind the seam that HTTP is behind otherwise."""

import tempfile
from collections import deque
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from zlib import crc32

import chdb

from config.catalogue import Catalogue
from store.facts.clickhouse import ClickHouseHistory
from store.facts.clickhouse.address import fault

KEPT = 8
"""Databases that are not dropped yet: a store of several tiers has one for each."""
_ONE = Lock()
"""The engine is one for the process and takes one statement at a time."""


class InProcess:
    """`Send` without a server; one folder for the whole process, a database a history."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="watchfloor-chdb-")
        self._connection = chdb.connect(f"{self._folder.name}/data")  # type: ignore[no-untyped-call] # the library's
        self._rows = Path(self._folder.name) / "rows.native"
        self._urls: deque[str] = deque()

    def open(self, folder: Path, catalogue: Catalogue) -> ClickHouseHistory:
        """The history that belongs to a folder; of earlier ones only the last few are kept."""
        url = self.url(folder)
        if url not in self._urls:
            self._urls.append(url)
            if len(self._urls) > KEPT:
                self.send("", f"DROP DATABASE {self._urls.popleft().rpartition('/')[2]}", {}, None)
        return ClickHouseHistory(url, catalogue, self.send)

    def url(self, folder: Path) -> str:
        return f"clickhouse://here/d{crc32(str(folder).encode()):08x}"

    def send(self, server: str, statement: str, settings: Mapping[str, str | int], rows: bytes | None) -> bytes:
        with _ONE:
            if rows is not None:
                self._rows.write_bytes(rows)
                statement = statement.replace("FORMAT Native", f"SELECT * FROM file('{self._rows}', Native)")
            try:
                answer: bytes = self._connection.query(statement, "Native").bytes()
            except chdb.ChdbError as error:
                raise fault(server, str(error)) from error
            return answer


@cache
def in_process() -> InProcess:
    """The one engine of this process, made when it is first asked for."""
    return InProcess()
