"""The real shell behind the sign-in door, with real accounts and a believable nation."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from collectors.push.endpoint import PushEndpoint
from config.catalogue import NATION, Catalogue
from config.loading import load
from dashboards.access.routes import Open
from dashboards.access.sign_in import SignInAccess
from dashboards.executors import Executors
from dashboards.site.application import create_app
from store.state import State, open_state
from tests.support.believable import believable
from tests.support.live_world import MemoryLive
from tests.support.push_world import nowhere

GUANGDONG, BEIJING = "440000", "110000"
PASSWORD = "a long enough word"
ORIGIN = "http://testserver"


class Clock:
    """Seconds that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class House:
    """A site that users sign in to, and one of its visitors."""

    client: TestClient
    catalogue: Catalogue
    access: SignInAccess
    state: State
    clock: Clock
    live: MemoryLive

    def sign_in(self, name: str, password: str = PASSWORD, back: str = "", **headers: str) -> Any:
        form = {"name": name, "password": password, "next": back}
        return self.client.post("/sign-in", data=form, headers={"origin": ORIGIN} | headers)

    def content(self, pathname: str, search: str = "") -> str:
        """What the Dash callback shows of an address."""
        answer = self.client.post("/_dash-update-component", json=callback(pathname, search))
        assert answer.status_code == 200, answer.text
        return json.dumps(answer.json(), ensure_ascii=False)


def callback(pathname: str, search: str = "") -> dict[str, Any]:
    return {
        "output": "page.children",
        "outputs": {"id": "page", "property": "children"},
        "changedPropIds": ["address.pathname"],
        "inputs": [
            {"id": "address", "property": "pathname", "value": pathname},
            {"id": "address", "property": "search", "value": search},
        ],
    }


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """Accounts: `nation`, `guangdong` and `beijing`, each with the same password."""
    catalogue = load()
    clock, live, executors = Clock(), MemoryLive(), Executors()
    live.newest = believable(catalogue, datetime.now(UTC))
    state = open_state(f"sqlite:///{folder / 'state.sqlite'}", catalogue.rules)
    accounts = (
        ("nation", "executive", NATION),
        ("guangdong", "province_manager", GUANGDONG),
        ("beijing", "province_manager", BEIJING),
    )
    for name, role, region in accounts:
        state.users.put(name, PASSWORD, role, datetime(2026, 1, 1, tzinfo=UTC), region)
    access = SignInAccess(catalogue, state.users, b"a key of the tests", executors, clock)
    door = PushEndpoint({}, nowhere())
    push = [Open(route.path, route.endpoint, "has tokens of its own", route.methods) for route in door.addresses()]
    app = create_app(catalogue, live, access, [*access.addresses(), *push], executors=executors)
    try:
        with TestClient(app, follow_redirects=False, base_url=ORIGIN) as client:
            yield House(client, catalogue, access, state, clock, live)
    finally:
        state.close()


def codes_in(text: str, catalogue: Catalogue) -> set[str]:
    """The codes of regions that stand in a text, as a key, in an address or alone."""
    return set(re.findall(r"[\"/=](\d{6})(?!\d)", text)) & set(catalogue.regions)
