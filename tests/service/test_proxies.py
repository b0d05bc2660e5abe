"""Behind a proxy: who asks is whom a trusted proxy names, and nobody else may name anybody."""

import asyncio
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from config.settings import Settings
from service.web import guarded

PROXY, VISITOR = "10.0.0.5", "203.0.113.9"


def seen_from(sender: str, trusted: str) -> tuple[str, str]:
    """The visitor's address and scheme as the site sees them, when a sender forwards for VISITOR."""
    found: dict[str, Any] = {}

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        found.update(scope)

    async def nothing(*_: object) -> Any:
        raise AssertionError("nothing is read or sent")

    headers = [(b"x-forwarded-for", VISITOR.encode()), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "client": (sender, 1), "scheme": "http", "headers": headers}
    settings = Settings(access="login", trusted_proxies=trusted)
    asyncio.run(guarded(settings, site)(scope, nothing, nothing))  # type: ignore[arg-type]
    return found["client"][0], found["scheme"]


@pytest.mark.parametrize("trusted", [PROXY, "10.0.0.0/24", f"192.0.2.1,{PROXY}"])
def test_a_trusted_proxy_is_believed(trusted: str) -> None:
    assert seen_from(PROXY, trusted) == (VISITOR, "https")


@pytest.mark.parametrize("trusted", ["", "10.0.1.0/24"])
def test_others_are_not(trusted: str) -> None:
    assert seen_from(PROXY, trusted) == (PROXY, "http")
