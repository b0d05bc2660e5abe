"""The application at its door: who gets what, with which status, and under which headers."""

import asyncio
import base64
import hashlib
import json
import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dash import html
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message

from access.policy import Viewer
from config.actions import Action
from config.catalogue import NATION
from dashboards.access.routes import Guarded, Open
from dashboards.access.viewers import OpenAccess
from dashboards.site.application import create_app
from dashboards.window import Context, Right
from tests.support.live_world import BEIJING, GUANGDONG, Everything, MemoryLive, catalogue, snapshot, windows
from tests.support.waiting import eventually

CALLBACK = {
    "output": "page.children",
    "outputs": {"id": "page", "property": "children"},
    "changedPropIds": ["address.pathname"],
}


class NamedAccess:
    """The header `x-viewer` names a region, whose manager asks; without it nobody. `gone` forgets everybody."""

    entrance = "/sign-in"

    def __init__(self) -> None:
        self.gone = False

    def viewer(self, request: HTTPConnection) -> Viewer | None:
        region = request.headers.get("x-viewer")
        role = "executive" if region == NATION else "province_manager"
        return Viewer("Li Na", role, region) if region and not self.gone else None


class Broken(Everything):
    """A panel with a bug."""

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Div]:
        raise ZeroDivisionError


def app_of(live: MemoryLive, access: Any = None, **more: Any) -> ASGIApp:
    return create_app(catalogue(), live, access or OpenAccess(), windows=windows(), **more)


@pytest.fixture
def live() -> MemoryLive:
    return MemoryLive()


@pytest.fixture
def client(live: MemoryLive) -> Iterator[TestClient]:
    with TestClient(app_of(live), follow_redirects=False) as client:
        yield client


@pytest.fixture
def guarded(live: MemoryLive) -> Iterator[TestClient]:
    with TestClient(app_of(live, NamedAccess()), follow_redirects=False) as client:
        yield client


def content(client: TestClient, pathname: str, search: str = "", **headers: str) -> str:
    inputs = [
        {"id": "address", "property": "pathname", "value": pathname},
        {"id": "address", "property": "search", "value": search},
    ]
    answer = client.post("/_dash-update-component", json={**CALLBACK, "inputs": inputs}, headers=headers)
    assert answer.status_code == 200, answer.text
    return json.dumps(answer.json(), ensure_ascii=False)


def test_the_index_knows_language_theme_and_stream_before_any_script(client: TestClient) -> None:
    answer = client.get(f"/province/{GUANGDONG}?lang=en&theme=light&mode=wall")
    assert answer.status_code == 200
    opening = re.search("<html [^>]*>", answer.text)
    assert opening is not None
    for part in ('lang="en"', 'data-theme="light"', 'data-mode="wall"', f'data-view-key="province/{GUANGDONG}?time='):
        assert part in opening[0]
    assert "<title>Province · Guangdong · Watchfloor</title>" in answer.text
    assert "This page needs JavaScript" in answer.text


def test_nothing_is_loaded_from_another_host_and_plotly_not_at_all(client: TestClient) -> None:
    html = client.get("/hq").text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(addresses) > 8
    assert [address for address in addresses if not address.startswith("/")] == []
    assert "plotly" not in " ".join(addresses)


def test_the_policy_allows_exactly_the_inline_scripts_that_the_index_has(client: TestClient) -> None:
    answer = client.get("/hq")
    policy = answer.headers["content-security-policy"]
    scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>(.*?)</script>", answer.text, re.DOTALL)
    run = [body for attributes, body in scripts if "application/json" not in attributes]
    hashes = [base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in run]
    (rule,) = re.findall("script-src ([^;]*)", policy)
    assert rule.split() == ["'self'", *(f"'sha256-{one}'" for one in hashes)]
    assert len(run) == 1


@pytest.mark.parametrize("path", ["/hq", "/health", "/nothing", "/assets/0/live.js", "/_dash-layout"])
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/payroll", 404),
        ("/hq?metric=secret", 404),
        ("/province/999999", 404),
        ("/_reload-hash", 404),
        ("/_dash-ws-callback", 404),
        ("/docs", 404),
        ("/openapi.json", 404),
        ("/_dash-component-suites/dash/../../../etc/passwd", 404),
        ("/_dash-component-suites/dash/dash.py", 404),
        ("/live/payroll", 404),
        ("/live/hq?metric=secret", 404),
    ],
)
def test_what_does_not_exist_is_not_answered_with_200(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_an_unknown_address_says_what_is_unknown(client: TestClient) -> None:
    assert "指标字典里没有“secret”" in content(client, "/hq", "?metric=secret")


def test_the_root_leads_to_the_first_window_that_a_viewer_may_see(client: TestClient, guarded: TestClient) -> None:
    assert client.get("/").headers["location"].startswith("/flow?")
    answer = guarded.get("/", headers={"x-viewer": GUANGDONG})
    assert answer.headers["location"].startswith(f"/province/{GUANGDONG}?")


def test_a_page_has_the_window_in_its_frame(client: TestClient) -> None:
    page = content(client, f"/province/{GUANGDONG}", "?lang=en&time=60min&theme=light&metric=answer_rate")
    assert "province Guangdong answer_rate 60min" in page
    assert f"/province/{BEIJING}?time=60min&metric=answer_rate&lang=en&theme=light" in page
    assert f'"data-view-key": "province/{GUANGDONG}?time=60min&metric=answer_rate&lang=en"' in page


def test_a_window_that_fails_says_so_in_its_place(caplog: pytest.LogCaptureFixture, live: MemoryLive) -> None:
    broken = windows()
    broken["hq"] = replace(broken["hq"], panels=(Broken(),))
    with TestClient(create_app(catalogue(), live, OpenAccess(), windows=broken)) as client:
        page = content(client, "/hq")
    assert "服务器在生成页面时出错" in page
    assert "ZeroDivisionError" not in page
    assert "could not be made" in caplog.text


@pytest.mark.parametrize("path", ["/_dash-layout", "/_dash-dependencies", "/live/hq", "/hq"])
def test_nobody_unknown_gets_anything(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code == 401


def test_nobody_unknown_calls_a_callback(guarded: TestClient) -> None:
    assert guarded.post("/_dash-update-component", json=CALLBACK).status_code == 401


def test_a_person_unknown_is_sent_to_sign_in_and_back(guarded: TestClient) -> None:
    answer = guarded.get("/hq?lang=en", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fhq%3Flang%3Den")


def test_files_and_health_need_no_viewer(guarded: TestClient) -> None:
    assert guarded.get("/health").status_code == 503
    assert guarded.get("/assets/0/live.js").status_code == 404


@pytest.mark.parametrize("path", ["/hq", f"/province/{BEIJING}", "/flow"])
def test_what_is_not_his_is_refused_on_page_callback_and_stream(guarded: TestClient, path: str) -> None:
    headers = {"x-viewer": GUANGDONG}
    assert guarded.get(path, headers=headers).status_code == 403
    assert guarded.get(f"/live{path}", headers=headers).status_code == 403
    assert guarded.head(f"/live{path}", headers=headers).status_code == 403
    page = content(guarded, path, **headers)
    assert "notice" in page
    assert "offered" not in page


def test_his_own_province_shows_no_way_to_others(guarded: TestClient) -> None:
    page = content(guarded, f"/province/{GUANGDONG}", **{"x-viewer": GUANGDONG})
    assert "offered" in page
    assert BEIJING not in page
    assert "Li Na" in page
    assert '"/hq' not in page


def test_health_is_true(client: TestClient, live: MemoryLive) -> None:
    assert client.get("/health").json()["fault"] == "there is no snapshot yet"
    client.portal.call(live.publish, snapshot(3))  # type: ignore[union-attr]
    answer = wait_for(client, lambda told: told["generation"] == 3)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    client.portal.call(live.publish, snapshot(4, at=datetime.now(UTC) - timedelta(hours=1)))  # type: ignore[union-attr]
    answer = wait_for(client, lambda told: told["generation"] == 4)
    assert (answer.status_code, answer.json()["fault"][:29]) == (503, "the newest snapshot is 3600 s")
    client.portal.call(live.lose)  # type: ignore[union-attr]
    answer = wait_for(client, lambda told: "cannot be reached: the store is gone" in (told["fault"] or ""))
    assert answer.status_code == 503


def wait_for(client: TestClient, true: Any) -> Any:
    eventually(lambda: true(client.get("/health").json()), "the health says so")
    return client.get("/health")


def test_further_addresses_are_open_or_guarded_as_they_say(live: MemoryLive) -> None:
    async def told(request: Any) -> Any:
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("told")

    addresses = [Open("/open", told, "it tells nothing"), Guarded("/shut", told, Action.ASK_QUESTIONS)]
    with TestClient(app_of(live, NamedAccess(), addresses=addresses)) as client:
        assert client.get("/open").text == "told"
        assert client.get("/shut").status_code == 401
        assert client.get("/shut", headers={"x-viewer": GUANGDONG}).text == "told"


class Stream:
    """One GET of a stream, read as it comes, through the ASGI interface itself."""

    def __init__(self, app: ASGIApp, path: str, query: str = "", headers: dict[str, str] | None = None) -> None:
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.left = asyncio.Event()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        }
        self.task = asyncio.ensure_future(app(scope, self._receive, self.sent.put))

    async def _receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def next(self) -> Message:
        return await asyncio.wait_for(self.sent.get(), 5)

    async def leave(self) -> None:
        self.left.set()
        await asyncio.wait_for(self.task, 5)


async def started(app: ASGIApp) -> asyncio.Queue[Message]:
    """Run the application's lifespan; what is put into the queue is what it receives."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    answers: asyncio.Queue[Message] = asyncio.Queue()
    told.put_nowait({"type": "lifespan.startup"})
    told.task = asyncio.ensure_future(app({"type": "lifespan", "asgi": {}}, told.get, answers.put))  # type: ignore[attr-defined]
    assert (await answers.get())["type"] == "lifespan.startup.complete"
    return told


async def test_a_stream_is_one_gzip_member_that_says_hello_and_then_everything(live: MemoryLive) -> None:
    live.publish(snapshot(1, 42))
    app = app_of(live)
    lifespan = await started(app)
    stream = Stream(app, "/live/hq", "lang=en", {"accept-encoding": "gzip"})
    start = await stream.next()
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert (start["status"], headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert (headers["content-encoding"], headers["cache-control"]) == ("gzip", "no-store")
    reader, text = zlib.decompressobj(31), ""
    while '"offered":{"text":"42"}' not in text:
        text += reader.decompress((await stream.next())["body"]).decode()
    assert text.startswith("event: hello\n")
    assert '"full":true' in text
    await stream.leave()
    lifespan.put_nowait({"type": "lifespan.shutdown"})


async def test_a_client_without_gzip_reads_plain_events(live: MemoryLive) -> None:
    app = app_of(live)
    lifespan = await started(app)
    stream = Stream(app, "/live/hq")
    await stream.next()
    assert (await stream.next())["body"].startswith(b"event: hello\n")
    await stream.leave()
    lifespan.put_nowait({"type": "lifespan.shutdown"})


async def test_a_stream_ends_when_its_viewer_is_known_no_more(
    live: MemoryLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.live.event_streams.ASK_AGAIN_S", 0)
    access = NamedAccess()
    app = app_of(live, access)
    lifespan = await started(app)
    stream = Stream(app, "/live/hq", headers={"x-viewer": NATION})
    assert (await stream.next())["status"] == 200
    assert b"hello" in (await stream.next())["body"]
    access.gone = True
    live.publish(snapshot(1))
    while (await stream.next()).get("more_body", True):
        live.publish(snapshot(2))
    await asyncio.wait_for(stream.task, 5)
    lifespan.put_nowait({"type": "lifespan.shutdown"})


async def test_a_full_house_says_when_to_come_back(live: MemoryLive) -> None:
    from dashboards.live.hub import Limits

    app = app_of(live, limits=Limits(streams=1))
    lifespan = await started(app)
    first = Stream(app, "/live/hq")
    await first.next()
    second = Stream(app, "/live/hq")
    refused = await second.next()
    assert (refused["status"], dict(refused["headers"])[b"retry-after"]) == (503, b"10")
    await first.leave()
    third = Stream(app, "/live/hq")
    assert (await third.next())["status"] == 200
    await third.leave()
    lifespan.put_nowait({"type": "lifespan.shutdown"})
