"""Secrets are read when they are needed, and never leave through a message."""

from urllib.parse import quote, quote_plus

from collectors import Secret
from metrics.observations import SourceFault

HIDDEN = "***"
SHORTEST_HIDDEN = 4
"""Shorter values would blot out ordinary words."""


class Secrets:
    """Every secret that a source has used; `hide` blots them out of a text in any form they travel in."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret
        self._forms: set[str] = set()

    def read(self, name: str) -> str:
        """Read a secret by the name of its environment variable; raises SourceFault `misconfigured` naming it."""
        value = self._secret(name).strip()
        if not value:
            raise SourceFault("misconfigured", f"environment variable {name} is not set", permanent=True)
        if not value.isprintable():
            raise SourceFault("misconfigured", f"environment variable {name} holds control characters", permanent=True)
        return self.note(value)

    def note(self, value: str) -> str:
        """Remember a secret that came another way, such as a fetched token."""
        if len(value) >= SHORTEST_HIDDEN:
            self._forms |= {value, quote(value), quote(value, safe=""), quote_plus(value)}
        return value

    def hide(self, text: str) -> str:
        """The text without any secret, longest first so that none shows through another's gap."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, HIDDEN)
        return text
