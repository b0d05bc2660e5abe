"""The direct way to a screen's socket, past its task: what thousands of screens get costs each one write.

A server that has it puts a `Connection` into the extensions of an ASGI scope, as the ASGI specification provides for
what one server offers. Under any other server, and for a screen that is slow, a stream goes by ASGI's own `send`.
"""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EXTENSION = "watchfloor.connection"
UNSENT_BYTES = 16 * 1024
"""What the kernel takes for a socket beyond what is on its way; its own limit of megabytes hides a slow screen."""


class Connection:
    """One connection, of which the answer is sent in chunks."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def prepare(self) -> None:
        """Let the transport know soon when the other end reads slowly."""
        taken = self._transport.get_extra_info("socket")
        if taken is not None and hasattr(socket, "TCP_NOTSENT_LOWAT") and taken.family != socket.AF_UNIX:
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)

    def take(self, chunk: bytes) -> bool:
        """Write a whole chunk; False, and nothing is written, while earlier ones are owed or the connection ends."""
        if self._transport.get_write_buffer_size() or self._transport.is_closing():
            return False
        self._transport.write(chunk)
        return True


class DirectProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, which tells the application of the connection."""

    def on_message_begin(self) -> None:
        """A request begins: its scope is there, its application not yet called."""
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: Connection(self.transport)}  # type: ignore[dict-item]  # ours is no dictionary


def connection_of(scope: Mapping[str, Any]) -> Connection | None:
    """The connection of a request, where its server has one."""
    connection: Connection | None = (scope.get("extensions") or {}).get(EXTENSION)
    return connection
