"""A network between the parts whose cables can be pulled: namespaces and veth pairs, for which one must be root.

    pipeline --- valkey --- this machine, where the web processes are
        \\                --- this machine, for the test itself
         --- postgres   --- this machine, for the test itself

A cable is pulled at the server's end: what the other end sends is lost without a word, connections stay half open.
"""

import os
import subprocess
from collections.abc import Sequence

from tests.support.faults.places import LOOPBACK, Place

HERE = ""
CABLES = (("pipeline", "valkey"), ("pipeline", "postgres"), ("web", "valkey"), (HERE, "valkey"), (HERE, "postgres"))
"""Who asks, and the server."""
SPACES = ("pipeline", "valkey", "postgres")


class Network(Place):
    """Made at once; `end` takes it away."""

    def __init__(self) -> None:
        self._name, self._net = f"wf{os.getpid()}", f"10.{os.getpid() % 200 + 20}"
        for space in SPACES:
            _ip("netns", "add", self._space(space))
            _ip("-n", self._space(space), "link", "set", "lo", "up")
        for number, (asker, server) in enumerate(CABLES):
            near, far = self._ends(number)
            _ip("link", "add", near, "type", "veth", "peer", "name", far)
            self._plug(near, asker, f"{self._net}.{number}.1/30")
            self._plug(far, server, f"{self._net}.{number}.2/30")

    def inside(self, part: str) -> Sequence[str]:
        return ("ip", "netns", "exec", self._space(part)) if part in SPACES else ()

    def listens(self, server: str) -> str:
        return "0.0.0.0"  # noqa: S104 - in a namespace that nobody else is in

    def host(self, asker: str, server: str) -> str:
        if asker == server:
            return LOOPBACK
        return f"{self._net}.{CABLES.index((asker, server))}.2"

    def cut(self, asker: str, server: str) -> None:
        self._set(asker, server, "down")

    def heal(self, asker: str, server: str) -> None:
        self._set(asker, server, "up")

    def end(self) -> None:
        for space in SPACES:
            _ip("netns", "del", self._space(space))

    def _set(self, asker: str, server: str, state: str) -> None:
        _, far = self._ends(CABLES.index((asker, server)))
        _ip("-n", self._space(server), "link", "set", far, state)

    def _plug(self, end: str, space: str, address: str) -> None:
        inside: tuple[str, ...] = ()
        if space in SPACES:
            inside = ("-n", self._space(space))
            _ip("link", "set", end, "netns", self._space(space))
        _ip(*inside, "address", "add", address, "dev", end)
        _ip(*inside, "link", "set", end, "up")

    def _space(self, part: str) -> str:
        return f"{self._name}-{part}"

    def _ends(self, number: int) -> tuple[str, str]:
        return f"{self._name}n{number}", f"{self._name}f{number}"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=10)
