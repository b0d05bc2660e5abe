"""What goes to a screen while nothing changes: the figures stay, the pipeline says so at its beat.

A snapshot with the same figures and a new time comes every ten seconds, as the running pipeline sends it; the server
adds a sign of life every fifteen. Screens of all windows are counted on the wire, HTTP included, after the first
frames. The peer gets an answer to each of its polls, with the one number of its page in it.
"""

import json
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from bench.browsing import plain_dash
from bench.measurement import Measurement
from bench.nation import PATHS, nation_apart
from bench.plain_dash import POLL_MS
from bench.processes import two_cores
from bench.socket_screens import Holder
from pipeline.snapshot.publisher import BEAT_S

BEATS = 3
PEER = "plain Dash: dcc.Interval of 1 s, one number"


def measure() -> Iterator[Measurement]:
    """Bytes a second and screen, by window."""
    with plain_dash() as plain:
        peer = _poll_bytes(plain.url)
    with nation_apart(two_cores()[0]) as nation:
        holders = {path: Holder(nation.port, [path]) for path in PATHS}
        try:
            for holder in holders.values():
                holder.open(1)
            time.sleep(1)
            for holder in holders.values():
                holder.ask(f"watch {BEATS * BEAT_S}")
            for _ in range(BEATS):
                nation.publisher.repeat()
                time.sleep(BEAT_S)
            found = {path: holder.hear()["bytes"] / BEATS / BEAT_S for path, holder in holders.items()}
        finally:
            for holder in holders.values():
                holder.close()
    note = f"the time of the data every {BEAT_S:g} s and a beat every 15 s; the quality window shows ages, which grow"
    for path, size in found.items():
        yield Measurement(f"idle, {path}", "B/s", round(size, 1), peer, PEER, note)


def _poll_bytes(url: str) -> float:
    """Bytes a second of the answers to the peer's polls."""
    body = json.dumps(
        {
            "output": "value.children",
            "outputs": {"id": "value", "property": "children"},
            "inputs": [{"id": "beat", "property": "n_intervals", "value": 1}],
            "changedPropIds": ["beat.n_intervals"],
        }
    )
    address = urlsplit(url)
    head = "POST /_dash-update-component HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n"
    head += "Content-Type: application/json\r\n"
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    if b" 200 " not in answer.splitlines()[0]:
        raise RuntimeError(f"the peer did not answer its poll: {answer[:200]!r}")
    return len(answer) / (POLL_MS / 1000)
