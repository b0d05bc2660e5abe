"""How the web knows who asks: by a session, by a token, or, at this machine alone, without either."""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection

from access.policy import Viewer
from config.catalogue import NATION

LOCAL = Viewer("local", "administrator", NATION)
"""Whoever sits at this machine, with the role that may do everything."""


class Access(Protocol):
    """Says who asks; what he may do is the policy's to say (`access/policy.py`)."""

    @property
    def entrance(self) -> str:
        """Path of the sign-in page; '' when nobody needs to sign in."""
        ...

    def viewer(self, request: HTTPConnection) -> Viewer | None:
        """Who sends this request, asked in a thread; None: nobody that is known, so send him to the sign-in page."""
        ...


@dataclass(frozen=True)
class OpenAccess:
    """Everyone who reaches the address is an administrator of the nation; for loopback only."""

    everyone: Viewer = LOCAL
    entrance: str = ""

    def viewer(self, request: HTTPConnection) -> Viewer | None:
        """The same viewer for every request."""
        return self.everyone
