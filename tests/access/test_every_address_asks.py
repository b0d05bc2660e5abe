"""No way into the site that does not ask the policy: routes, windows, streams and callbacks, found and not listed."""

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from dash import Input, Output, get_app
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from access.policy import Policy, Viewer
from config.actions import Action
from config.catalogue import NATION, Catalogue, Level
from dashboards.access.routes import Guarded, Open
from dashboards.access.viewers import OpenAccess
from dashboards.site.application import Site, create_app
from dashboards.site.registry import all_windows
from dashboards.views import Addresses
from tests.support.asking_site import asker, callback, filled, read_off, site_of, with_roles
from tests.support.live_world import MemoryLive

GUANGDONG, BEIJING = "440000", "110000"
OPEN = {
    "/health", "/assets/{version}/{name:path}", "/_dash-component-suites/dash/{name:path}", "/sign-in",
    "/ingest/v1/{channel}",
}  # fmt: skip
"""All that anybody may ask for."""
CATALOGUE = with_roles(
    nothing=frozenset(),
    **{f"only_{action}": frozenset({action}) for action in Action},
    **{f"all_but_{action}": frozenset(Action) - {action} for action in Action},
)


@pytest.fixture(scope="module")
def built() -> Iterator[tuple[TestClient, Site]]:
    with site_of(CATALOGUE) as made:
        yield made


@pytest.fixture
def client(built: tuple[TestClient, Site]) -> TestClient:
    return built[0]


@pytest.fixture
def site(built: tuple[TestClient, Site]) -> Site:
    return built[1]


def topics(catalogue: Catalogue) -> list[str]:
    """Every window with each kind of region that it shows: the nation, an own province and another."""
    return [
        topic
        for name, window in all_windows().items()
        for topic in ([name] if window.level is Level.NATION else [f"{name}/{GUANGDONG}", f"{name}/{BEIJING}"])
    ]


def refused_content(client: TestClient, path: str, headers: dict[str, str]) -> str:
    """What page, stream and callback say to somebody who may not see a window."""
    page, stream = client.get(path, headers=headers), client.get(f"/live{path}", headers=headers)
    assert (page.status_code, stream.status_code) == (403, 403), path
    assert client.head(f"/live{path}", headers=headers).status_code == 403
    shown = client.post("/_dash-update-component", json=callback(path), headers=headers).json()
    assert "这个视窗不对您开放" in json.dumps(shown, ensure_ascii=False)
    codes = set(re.findall(r"[\"/=](\d{6})(?!\d)", page.text + json.dumps(shown))) & set(CATALOGUE.regions)
    assert codes <= {NATION, headers["x-region"], path.rpartition("/")[2]}
    return stream.text + read_off(page.text, shown)


def refusal(answer: Any) -> str:
    """What a route says to whom it refuses: a plain sentence, or a problem that names the action and nothing more."""
    if answer.headers.get("content-type") != "application/problem+json":
        text: str = answer.text
        return text
    told = answer.json()
    if told["status"] != 403:
        return ""
    assert set(told) == {"title", "status", "detail", "action", "region"}
    assert re.fullmatch(r"\w+ of 100000 is not open to \w+ of 100000", told["detail"])
    return "this is not open to you"


# Routes


def test_every_route_is_guarded_or_open_with_a_reason(site: Site) -> None:
    routes = site.app._app.routes  # type: ignore[attr-defined]
    assert len(routes) == len(site.addresses) > 10
    for route, address in zip(routes, site.addresses, strict=True):
        assert (route.path, set(address.methods) <= route.methods) == (address.path, True)
    assert {address.path for address in site.addresses if isinstance(address, Open)} == OPEN
    assert all(address.reason for address in site.addresses if isinstance(address, Open))


def test_who_may_nothing_gets_nothing_from_any_guarded_route(client: TestClient, site: Site) -> None:
    guarded = [address for address in site.addresses if isinstance(address, Guarded)]
    for address in guarded:
        for method in address.methods:
            answer = client.request(method, filled(address), headers=asker("nothing"))
            assert (answer.status_code, refusal(answer)) == (403, "this is not open to you"), address


def test_each_guarded_route_asks_for_its_own_action(client: TestClient, site: Site) -> None:
    for address in (address for address in site.addresses if isinstance(address, Guarded)):
        for method in address.methods:
            without = client.request(method, filled(address), headers=asker(f"all_but_{address.action}"))
            assert without.status_code == 403, address
            alone = client.request(method, filled(address), headers=asker(f"only_{address.action}"))
            assert (alone.status_code, refusal(alone)) != (403, "this is not open to you"), address


def test_a_scope_outside_the_viewers_region_is_refused_before_the_endpoint() -> None:
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("a figure")

    there = Guarded(
        "/there/{code}", endpoint, Action.SEE_READINGS, scope=lambda request, _: request.path_params["code"]
    )
    with TestClient(create_app(CATALOGUE, MemoryLive(), OpenAccess(), [there])) as client:
        assert client.get(f"/there/{BEIJING}").text == "a figure"
    manager = OpenAccess(Viewer("Li Na", "province_manager", GUANGDONG))
    with TestClient(create_app(CATALOGUE, MemoryLive(), manager, [there])) as client:
        assert client.get(f"/there/{GUANGDONG}").text == "a figure"
        refused = client.get(f"/there/{BEIJING}")
        assert (refused.status_code, refused.text) == (403, "this is not open to you")


def test_a_route_that_asks_nobody_cannot_be_added() -> None:
    async def endpoint(request: Request) -> Response:
        return PlainTextResponse("a figure")

    with pytest.raises(AttributeError):
        create_app(CATALOGUE, MemoryLive(), OpenAccess(), [Route("/more", endpoint)])  # type: ignore[list-item]  # the case


# Callbacks


def test_every_callback_asks(client: TestClient) -> None:
    get_app()._setup_server()
    outputs = list(get_app().callback_map)
    assert outputs == ["page.children"]
    for output in outputs:
        answer = client.post("/_dash-update-component", json=callback("/hq", output), headers=asker("nothing"))
        assert (answer.status_code, answer.text) == (403, "this is not open to you")


def test_a_callback_that_asks_nobody_cannot_be_added(client: TestClient) -> None:
    with pytest.raises(TypeError, match="guarded_callback"):
        get_app().callback(Output("page", "title"), Input("address", "pathname"))


# Windows, pages and streams, for every role


ROLES = [
    (role.id, region)
    for role in CATALOGUE.roles.values()
    if not role.id.startswith(("nothing", "only_", "all_but_"))
    for region in (NATION, GUANGDONG)
    if CATALOGUE.regions[region].level in role.levels
]


@pytest.mark.parametrize(("role", "region"), ROLES)
def test_windows_streams_and_callbacks_are_what_the_policy_says(client: TestClient, role: str, region: str) -> None:
    """A refusal holds no figure at all, and no code of a region but the one that was asked for."""
    policy, viewer, headers = Policy(CATALOGUE), Viewer("Li Na", role, region), asker(role, region)
    for topic in topics(CATALOGUE):
        path = f"/{topic}"
        view = Addresses(CATALOGUE, all_windows()).parse(path, "")
        if policy.may(viewer, view.action, view.scope):
            assert client.get(path, headers=headers).status_code == 200
            assert client.head(f"/live{path}", headers=headers).status_code == 200
            shown = client.post("/_dash-update-component", json=callback(path), headers=headers)
            assert f'"data-view-key":"{topic}?' in json.dumps(shown.json(), separators=(",", ":"))
        else:
            content = refused_content(client, path, headers)
            assert not re.search(r"\d", content), content


def test_the_matrix_holds_what_is_said_of_each_role(client: TestClient) -> None:
    """By hand, not by the policy itself."""
    seen = {
        (role, region, topic)
        for (role, region), topic in product(ROLES, topics(CATALOGUE))
        if client.head(f"/live/{topic}", headers=asker(role, region)).status_code == 200
    }
    nation = {"flow", "hq", "quality", f"province/{GUANGDONG}", f"province/{BEIJING}"}
    assert {topic for role, region, topic in seen if (role, region) == ("executive", NATION)} >= nation
    for role in ("wall", "steward", "administrator"):
        assert {topic for name, region, topic in seen if (name, region) == (role, NATION)} >= nation, role
    province = {(role, topic) for role, region, topic in seen if region == GUANGDONG}
    assert {topic for _, topic in province} == {f"province/{GUANGDONG}"}
    assert {role for role, _ in province} == {"wall", "province_manager", "steward"}
