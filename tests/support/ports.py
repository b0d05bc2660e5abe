"""Ports of this machine that nobody has now, and who answers at one."""

import socket

HIGHEST = 55_000
"""A cluster of Valkey takes the port that is 10,000 above its servers' too."""


def free_ports(count: int) -> list[int]:
    """That many different ports."""
    held: list[socket.socket] = []
    try:
        while len(held) < count:
            taken = socket.create_server(("127.0.0.1", 0))
            if taken.getsockname()[1] < HIGHEST:
                held.append(taken)
            else:
                taken.close()
        return [taken.getsockname()[1] for taken in held]
    finally:
        for taken in held:
            taken.close()


def free_port() -> int:
    return free_ports(1)[0]


def takes_connections(port: int) -> bool:
    """Whether somebody on this machine takes connections at a port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
