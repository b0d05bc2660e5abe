"""Who looks: a viewer, and what decides whether he may see a topic.

The decision is taken on the server for every page, callback and stream (`dashboards/site/application.py`,
`dashboards/live/hub.py`); what is not allowed is never sent, not merely hidden.
"""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import HTTPConnection

from config.catalogue import NATION


@dataclass(frozen=True)
class Viewer:
    """Somebody who was let in: a name for the trail, and the region he answers for (the nation: all)."""

    name: str
    region: str


class Access(Protocol):
    """The door: says who asks, and what he may see. Both methods run in a thread."""

    @property
    def entrance(self) -> str:
        """Path of the sign-in page; '' when nobody needs to sign in."""
        ...

    def viewer(self, request: HTTPConnection) -> Viewer | None:
        """Who sends this request; None: nobody that is known, so send him to the sign-in page."""
        ...

    def may_see(self, viewer: Viewer, topic: str) -> bool:
        """Whether a viewer may see a topic such as `hq` or `province/440000` (`View.topic`)."""
        ...


@dataclass(frozen=True)
class OpenAccess:
    """Everyone who reaches the address is a head-office viewer; for loopback only."""

    everyone: Viewer = Viewer("local", NATION)
    entrance: str = ""

    def viewer(self, request: HTTPConnection) -> Viewer | None:
        """The same head-office viewer for every request."""
        return self.everyone

    def may_see(self, viewer: Viewer, topic: str) -> bool:
        """Everything."""
        return True
