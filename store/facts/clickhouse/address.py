"""Where ClickHouse is, and one request to one server of it over HTTP."""

import re
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from store.faults import StatementRefused, StoreUnreachable

Send = Callable[[str, str, Mapping[str, str | int], bytes | None], bytes]
"""(server, statement, settings, rows in Native or None) -> answer; raises StatementRefused, StoreUnreachable."""

CONNECT_S = 3
ANSWER_S = 60
PASSING = {
    159: "timeout", 202: "too many queries", 209: "timeout between servers", 210: "network between servers",
    225: "no ZooKeeper", 242: "read-only without ZooKeeper", 279: "a shard is away", 999: "ZooKeeper does not answer",
}  # fmt: skip
"""Errors of a server that another server, or the same one later, may not have."""


@dataclass(frozen=True)
class Address:
    """`clickhouse://[user[:password]@]host[:port][,host…]/database[?cluster=name][&days=n]`; clickhouses for TLS.

    Without `cluster` there is one server. With it every server of every shard is listed, and each has the macros
    `shard` (1, 2, …) and `replica`. Ports are those of HTTP (8123, with TLS 8443).
    """

    servers: tuple[str, ...]
    database: str
    cluster: str | None = None
    days: int = 1
    """Days a partition holds; retention drops whole partitions."""
    user: str = "default"
    password: str = ""
    tls: bool = False

    @classmethod
    def of(cls, url: str) -> "Address":
        """Read a URL; raises ValueError, which never repeats it: it may hold a password."""
        parts = urlsplit(url)
        account, _, hosts = parts.netloc.rpartition("@")
        user, _, password = account.partition(":")
        options = parse_qs(parts.path and parts.query)
        database = parts.path.strip("/")
        if parts.scheme not in ("clickhouse", "clickhouses") or not hosts or not re.fullmatch(r"\w+", database):
            raise ValueError("not a ClickHouse address: clickhouse://host[:port][,host…]/database[?cluster=name]")
        unknown = sorted(set(options) - {"cluster", "days"})
        cluster = options.get("cluster", [None])[0]
        if unknown or not re.fullmatch(r"\w+", cluster or "none"):
            raise ValueError(f"a ClickHouse address has the options cluster (a name) and days, not {unknown}")
        tls = parts.scheme == "clickhouses"
        port = 8443 if tls else 8123
        servers = tuple(host if ":" in host else f"{host}:{port}" for host in hosts.split(","))
        days = int(options.get("days", ["1"])[0])
        return cls(servers, database, cluster, days, unquote(user) or "default", unquote(password), tls)

    def send(self, server: str, statement: str, settings: Mapping[str, str | int], rows: bytes | None) -> bytes:
        """`Send` over HTTP, a connection a request: nothing is left over from a server that went away."""
        parameters = {**settings, "wait_end_of_query": 1, "max_query_size": 2**26, "max_ast_elements": 10**6}
        body = statement.encode() if rows is None else rows
        query = urlencode(parameters if rows is None else {**parameters, "query": statement})
        headers = {"X-ClickHouse-User": self.user, "X-ClickHouse-Key": self.password}
        try:
            with closing(self._connection(server)) as connection:
                connection.connect()
                connection.sock.settimeout(ANSWER_S)
                connection.request("POST", f"/?{query}", body, headers)
                with connection.getresponse() as response:
                    answer = response.read()
        except (OSError, HTTPException) as error:
            raise StoreUnreachable(f"{server} does not answer: {error}") from error
        if response.status != 200:
            raise fault(server, answer.decode(errors="replace"))
        return answer

    def _connection(self, server: str) -> HTTPConnection:
        if self.tls:
            return HTTPSConnection(server, timeout=CONNECT_S, context=ssl.create_default_context())
        return HTTPConnection(server, timeout=CONNECT_S)


def fault(server: str, text: str) -> StatementRefused | StoreUnreachable:
    """The exception for a server's words."""
    found = re.search(r"Code: (\d+)", text)
    code = int(found[1]) if found else 0
    if code in PASSING:
        return StoreUnreachable(f"{server}: {PASSING[code]} ({text.strip().splitlines()[0][:300]})")
    return StatementRefused(f"{server}: {text[:2000].strip()}", code)
