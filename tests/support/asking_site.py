"""The real site with a believable nation, asked by whomever the request's headers name."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from access.policy import Viewer
from collectors.push.endpoint import PushEndpoint
from config.actions import Action
from config.catalogue import NATION, Catalogue, Level, Role, Text
from config.loading import load
from dashboards.access.routes import Guarded, Open
from dashboards.access.sign_in import SignInAccess
from dashboards.executors import Executors
from dashboards.site.application import Site, create_app
from tests.support.believable import believable
from tests.support.live_world import MemoryLive
from tests.support.push_world import nowhere

ORIGIN = "http://testserver"


class HeaderAccess:
    """Who asks stands in the headers `x-role` and `x-region`; implements `dashboards.access.viewers.Access`."""

    entrance = "/sign-in"

    def viewer(self, request: HTTPConnection) -> Viewer | None:
        role, region = request.headers.get("x-role"), request.headers.get("x-region", NATION)
        return Viewer("Li Na", role, region) if role else None


def asker(role: str, region: str = NATION) -> dict[str, str]:
    return {"x-role": role, "x-region": region}


def with_roles(**may: frozenset[Action]) -> Catalogue:
    """The product's catalogue with further roles."""
    catalogue = load()
    name = Text(zh="角色", en="role")
    levels = (Level.NATION, Level.PROVINCE)
    more = {role: Role(id=role, name=name, levels=levels, may=actions) for role, actions in may.items()}
    return catalogue.model_copy(update={"roles": {**catalogue.roles, **more}})


@contextmanager
def site_of(catalogue: Catalogue) -> Iterator[tuple[TestClient, Site]]:
    """The site with all its addresses; nobody is kept for signing in."""
    live = MemoryLive()
    live.newest = believable(catalogue, datetime.now(UTC))
    sign_in = SignInAccess(catalogue, None, b"a key of the tests", Executors())  # type: ignore[arg-type]  # nobody signs in here
    endpoint = PushEndpoint({}, nowhere())
    push = [Open(route.path, route.endpoint, "has tokens of its own", route.methods) for route in endpoint.addresses()]
    site = create_app(catalogue, live, HeaderAccess(), [*sign_in.addresses(), *push])
    with TestClient(site, follow_redirects=False, base_url=ORIGIN, headers={"origin": ORIGIN}) as client:
        yield client, site


def callback(pathname: str, output: str = "page.children") -> dict[str, Any]:
    """What the browser sends to have the content of an address."""
    identifier, _, name = output.partition(".")
    return {
        "output": output,
        "outputs": {"id": identifier, "property": name},
        "changedPropIds": ["address.pathname"],
        "inputs": [
            {"id": "address", "property": "pathname", "value": pathname},
            {"id": "address", "property": "search", "value": ""},
        ],
    }


def read_off(page: str, shown: Any) -> str:
    """The text that a person reads in a page and in the content of a callback."""
    outside = re.sub(r"<head.*?</head>|<script.*?</script>|<[^>]+>", " ", page, flags=re.DOTALL)
    return outside + " ".join(_texts(shown))


def _texts(node: Any) -> Iterator[str]:
    """The texts that stand as children anywhere in a tree."""
    if isinstance(node, dict):
        children = node.get("children")
        yield from [children] if isinstance(children, str) else ()
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from [value] if isinstance(value, str) else _texts(value)


def filled(address: Guarded | Open) -> str:
    """The path of an address with something in place of its parts."""
    return re.sub(r"\{.*?\}", "x", address.path)
