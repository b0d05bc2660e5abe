"""Who may do what where: the one decision that every page, stream, callback and question asks for.

Roles are data (`config/roles.yaml`), and a viewer's region bounds all of them: what lies outside is refused whatever
the role. What is refused is never sent, not merely hidden.
"""

from dataclasses import dataclass

from config.actions import Action
from config.catalogue import Catalogue


@dataclass(frozen=True)
class Viewer:
    """Who asks: a name for the trail, a role of the catalogue, and the region that he answers for (the nation: all)."""

    name: str
    role: str
    region: str


class Policy:
    """The decisions that a catalogue's roles and regions lead to."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def may(self, viewer: Viewer, action: Action, scope: str) -> bool:
        """Whether the role allows the action and the scope, a region's code, lies in the viewer's region.

        An unknown role and an unknown region allow nothing.
        """
        role = self._catalogue.roles.get(viewer.role)
        return role is not None and action in role.may and self._catalogue.lies_in(scope, viewer.region)

    def may_follow(self, viewer: Viewer, action: Action, scope: str) -> bool:
        """Whether a viewer may hold the stream of something that the action lets him see."""
        return self.may(viewer, Action.FOLLOW_LIVE, scope) and self.may(viewer, action, scope)
