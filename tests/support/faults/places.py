"""Where the parts of a line-up are: all on this machine's loopback, or each in a network of its own."""

from collections.abc import Sequence

LOOPBACK = "127.0.0.1"


class Place:
    """Everything on loopback."""

    def inside(self, part: str) -> Sequence[str]:
        """What a part's command begins with, so that it runs where it is."""
        return ()

    def listens(self, server: str) -> str:
        """The address that a server takes."""
        return LOOPBACK

    def host(self, asker: str, server: str) -> str:
        """The address under which one part ('': the test) reaches a server."""
        return LOOPBACK
