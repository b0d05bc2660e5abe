"""The sign-in door on the real shell: nothing without a session, and a province's users get their province."""

import asyncio
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from dash import get_app
from itsdangerous import TimestampSigner
from starlette.testclient import TestClient

from config.catalogue import NATION, Level
from dashboards.access.sign_in import COOKIE, KNOWN_S, SESSION_S
from dashboards.access.sign_in_attempts import OF_A_NAME, OF_AN_ADDRESS, PAUSE_S, SignInAttempts
from dashboards.site.pages import Pages
from dashboards.site.registry import all_windows
from dashboards.views import LANGUAGES
from metrics.readings import WINDOWS
from store.state.users import SCRYPT
from tests.support.sign_in_world import BEIJING, GUANGDONG, ORIGIN, PASSWORD, House, callback, codes_in, house

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
FIGURES = ("/flow", "/hq", "/quality", f"/province/{GUANGDONG}", f"/province/{BEIJING}")
OPEN = {
    "/health", "/assets/{version}/{name:path}", "/_dash-component-suites/dash/{name:path}", "/sign-in",
    "/ingest/v1/{channel}",
}  # fmt: skip
NOT_GUANGDONGS = ("/flow", "/hq", "/quality", f"/province/{BEIJING}")


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture
def visitor(standing: House) -> House:
    """The house, visited by somebody who is not known yet and has made no mistakes."""
    standing.client.cookies.clear()
    standing.clock.now += 10 * PAUSE_S
    return standing


def every_route(client: TestClient) -> set[str]:
    """The address of every route of the application and of Dash inside it, with something in place of its parts."""
    site: Any = client.app
    paths = {route.path for route in (*site.app._app.routes, *get_app().server.routes)}
    assert len(paths) > 12
    return {re.sub(r"\{.*?\}", "x", path) for path in paths - OPEN} | {
        *FIGURES,
        "/live/hq",
        "/_mcp",
        "/_dash-ws-callback",
    }


def test_no_route_answers_without_a_session(visitor: House) -> None:
    shut = sorted(every_route(visitor.client))
    assert {"/_dash-update-component", "/_dash-layout", "/_dash-dependencies", "/", "/sign-out"} <= set(shut)
    for path in shut:
        for method in METHODS:
            answer = visitor.client.request(method, path)
            said = answer.text if not path.startswith("/api/") else answer.json()["title"] if answer.text else ""
            assert (answer.status_code, said in ("sign in first", "Unauthorized", "")) == (401, True), (method, path)


def test_open_paths_hold_no_figure_and_open_nothing_beside_them(visitor: House) -> None:
    for path in ("/assets/x", "/assets/", "/assets/../hq", "/health/../hq", "/_dash-component-suites/x", "/ingest/x"):
        for method in METHODS:
            assert visitor.client.request(method, path).status_code in (307, 401, 404, 405), (method, path)
    for path in ("/healthy", "/health/x", "/sign-in/x", "/sign-inside", "//hq", "/assets", "/ingest", "/HQ"):
        assert visitor.client.get(path).status_code == 401, path
    assert visitor.client.post("/ingest/v1/app", content=b"{}").status_code == 401
    assert set(visitor.client.get("/health").json()) == {"status", "fault", "generation", "snapshot_age_s", "streams"}


def test_the_callback_needs_a_session_whatever_it_is_told(visitor: House) -> None:
    for cookie in ("", "nation", "x.y.z", "\x7f", "a" * 5000):
        answer = visitor.client.post(
            "/_dash-update-component", json=callback("/hq"), headers={"cookie": f"{COOKIE}={cookie}"}
        )
        assert answer.status_code == 401


def test_a_person_is_led_to_the_door_and_back(visitor: House) -> None:
    answer = visitor.client.get("/hq?lang=en", headers={"accept": "text/html"})
    assert answer.headers["location"] == "/sign-in?next=%2Fhq%3Flang%3Den"
    page = visitor.client.get(answer.headers["location"])
    assert (page.status_code, 'value="/hq?lang=en"' in page.text) == (200, True)
    assert visitor.sign_in("nation", back="/hq?lang=en").headers["location"] == "/hq?lang=en"
    assert visitor.client.get("/hq?lang=en").status_code == 200


def test_what_is_written_into_the_page_is_text(visitor: House) -> None:
    page = visitor.client.get("/sign-in", params={"next": '/"><script>alert(1)</script>'})
    assert "<script" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_the_nations_people_see_everything(visitor: House) -> None:
    visitor.sign_in("nation")
    for path in FIGURES:
        assert visitor.client.get(path).status_code == 200
        assert visitor.client.head(f"/live{path}").status_code == 200


@pytest.mark.parametrize("path", NOT_GUANGDONGS)
def test_a_provinces_people_get_nothing_of_others_by_page_stream_or_callback(visitor: House, path: str) -> None:
    visitor.sign_in("guangdong")
    assert visitor.client.get(path).status_code == 403
    for method in ("GET", "HEAD"):
        assert visitor.client.request(method, f"/live{path}").status_code == 403
    shown = visitor.content(path)
    assert '"notice"' in shown
    assert "data-view-key" in shown
    assert BEIJING not in shown.replace(path, "")


def test_a_provinces_people_see_their_own(visitor: House) -> None:
    assert visitor.sign_in("guangdong").headers["location"] == "/"
    assert visitor.client.get("/").headers["location"].startswith(f"/province/{GUANGDONG}?")
    assert visitor.client.get(f"/province/{GUANGDONG}").status_code == 200
    assert visitor.client.head(f"/live/province/{GUANGDONG}").status_code == 200
    shown = visitor.content(f"/province/{GUANGDONG}")
    assert "guangdong" in shown
    assert codes_in(shown, visitor.catalogue) <= {*visitor.catalogue.below(GUANGDONG), NATION}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("province", [GUANGDONG, BEIJING])
def test_a_provinces_frame_holds_no_figure_of_another_place_but_the_nations(
    visitor: House, province: str, language: str
) -> None:
    """Whatever window, metric and time: the codes and the names of other places do not occur."""
    windows = {name: window for name, window in all_windows().items() if window.level is Level.PROVINCE}
    assert windows
    inside = {*visitor.catalogue.below(province), NATION}
    assert len(codes_in(frame_of(visitor, "/hq"), visitor.catalogue)) > 30
    others = {*visitor.catalogue.at_level(Level.PROVINCE)} - {province}
    regions = [visitor.catalogue.regions[code] for code in others]
    names = {getattr(text, language) for region in regions for text in (region.name, region.short)}
    pattern = "|".join(rf"\b{name}\b" if language == "en" else name for name in names)
    for window, metric, time_window in product(windows, visitor.catalogue.metrics, WINDOWS):
        query = f"time={time_window}&metric={metric}&lang={language}"
        frame = frame_of(visitor, f"/{window}/{province}", query)
        assert codes_in(frame, visitor.catalogue) <= inside, query
        assert re.search(pattern, frame) is None, query


def frame_of(visitor: House, pathname: str, query: str = "") -> str:
    pages = Pages(visitor.catalogue, visitor.access, all_windows())
    return json.dumps(pages.parts(visitor.live.newest, pages.view(pathname, query)), ensure_ascii=False)


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "/\n/evil.example",
        "\\\\evil.example", "javascript:alert(1)", "http:evil.example", "///evil.example", "/ /evil.example", "hq", "",
        "//[", "/\\/evil.example", "\x00//evil.example", "/%0d%0aSet-Cookie:x=y\r\nX: y",
    ],
)  # fmt: skip
def test_after_signing_in_nobody_is_sent_to_another_house(visitor: House, back: str) -> None:
    answer = visitor.sign_in("nation", back=back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "x=y" not in str(answer.headers)


def test_a_cookie_that_was_changed_opens_nothing(visitor: House) -> None:
    visitor.sign_in("guangdong")
    cookie = visitor.client.cookies[COOKIE]
    visitor.client.cookies.clear()
    name = cookie.strip('"')
    # The last sign holds two bits that mean nothing, so a change of it may be none.
    for at in range(len(name) - 1):
        changed = name[:at] + ("A" if name[at] != "A" else "B") + name[at + 1 :]
        answer = visitor.client.get(f"/province/{GUANGDONG}", headers={"cookie": f'{COOKIE}="{changed}"'})
        assert answer.status_code == 401, changed
    assert visitor.client.get(f"/province/{GUANGDONG}", headers={"cookie": f'{COOKIE}="{name}"'}).status_code == 200
    forged = TimestampSigner(b"another key", salt="watchfloor.session").sign(
        name.rsplit(".", 2)[0].replace("guangdong", "nation")
    )
    assert visitor.client.get("/hq", headers={"cookie": f'{COOKIE}="{forged.decode()}"'}).status_code == 401


class OldSigner(TimestampSigner):
    age = 0

    def get_timestamp(self) -> int:
        return int(time.time()) - self.age


@pytest.mark.parametrize(("age", "status"), [(60, 200), (SESSION_S + 5, 401), (-3600, 401)])
def test_a_session_ends_after_half_a_day(visitor: House, age: int, status: int) -> None:
    signer = OldSigner(b"a key of the tests", salt="watchfloor.session")
    signer.age = age
    cookie = signer.sign(f"{datetime(2026, 1, 1, tzinfo=UTC).timestamp():.0f} nation").decode()
    assert visitor.client.get("/hq", headers={"cookie": f'{COOKIE}="{cookie}"'}).status_code == status


def test_a_session_ends_with_its_account_and_with_its_password(visitor: House) -> None:
    users, since = visitor.state.users, datetime(2026, 1, 1, tzinfo=UTC)
    users.put("guest", PASSWORD, "executive", since)
    visitor.sign_in("guest")
    assert visitor.client.get("/hq").status_code == 200
    users.put("guest", "another long word", "executive", since.replace(day=2))
    visitor.clock.now += KNOWN_S + 1
    assert visitor.client.get("/hq").status_code == 401
    assert visitor.sign_in("guest").status_code == 403
    visitor.sign_in("guest", "another long word")
    assert visitor.client.get("/hq").status_code == 200
    users.disable("guest")
    assert visitor.client.get("/hq").status_code == 200
    visitor.clock.now += KNOWN_S + 1
    assert visitor.client.get("/hq").status_code == 401
    assert visitor.sign_in("guest", "another long word").status_code == 403


def test_an_account_of_a_place_that_is_no_more_opens_nothing(visitor: House) -> None:
    visitor.state.users.put("lost", PASSWORD, "executive", datetime(2026, 1, 1, tzinfo=UTC), "999999")
    visitor.sign_in("lost")
    assert visitor.client.get("/hq").status_code == 401


def test_an_account_of_a_role_that_is_no_more_opens_nothing(visitor: House) -> None:
    visitor.state.users.put("old", PASSWORD, "viewer", datetime(2026, 1, 1, tzinfo=UTC))
    visitor.sign_in("old")
    assert visitor.client.get("/hq").status_code == 401


def test_wrong_passwords_lead_to_a_pause_for_that_name(visitor: House) -> None:
    for _ in range(OF_A_NAME):
        assert visitor.sign_in("beijing", "wrong").status_code == 403
    paused = visitor.sign_in("beijing")
    assert (paused.status_code, paused.headers["retry-after"]) == (429, "300")
    assert visitor.sign_in("guangdong").status_code == 303
    visitor.clock.now += PAUSE_S + 1
    assert visitor.sign_in("beijing").status_code == 303


def test_tries_beside_each_other_are_counted_before_their_passwords_are_checked(visitor: House) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(visitor.sign_in("beijing", "wrong").status_code))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [403] * OF_A_NAME + [429] * (12 - OF_A_NAME)


def test_an_address_has_more_tries_than_a_name_but_not_without_end() -> None:
    tries = SignInAttempts(lambda: 0.0)
    assert [tries.take(f"n{number}", "a") for number in range(OF_AN_ADDRESS + 1)] == [True] * OF_AN_ADDRESS + [False]
    assert tries.take("n", "b")
    tries.give_back("n1", "a")
    assert tries.take("n1", "a")


def test_a_right_password_forgives_the_wrong_ones(visitor: House) -> None:
    for _ in range(3):
        for _ in range(OF_A_NAME - 1):
            visitor.sign_in("beijing", "wrong")
        assert visitor.sign_in("beijing").status_code == 303


@pytest.mark.parametrize(
    "origin", [None, "", "null", "http://evil.example", "http://testserver.evil.example", "http://["]
)
def test_a_form_of_another_house_is_not_taken(visitor: House, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    form = {"name": "nation", "password": PASSWORD}
    assert visitor.client.post("/sign-in", data=form, headers=headers).status_code == 400
    assert not visitor.client.cookies
    visitor.sign_in("nation")
    visitor.client.post("/sign-out", headers=headers)
    assert visitor.client.get("/hq").status_code == 200


def test_signing_out_takes_the_cookie_away(visitor: House) -> None:
    visitor.sign_in("nation")
    assert visitor.client.post("/sign-out", headers={"origin": ORIGIN}).headers["location"] == "/sign-in"
    assert visitor.client.get("/hq").status_code == 401


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"&" * 20, b"a=b&" * 20, b"name=\xff\xfe", b"name=%00&password=x", b"name=" + b"n" * 3000, b"x" * 5000,
        b"name=%ff&password=%ff", b"name=\r\n&password=%F0%9F%98%80", b"{}", b"name=a&name=nation&password=x",
    ],
)  # fmt: skip
def test_a_form_that_our_page_would_not_send_opens_nothing(visitor: House, sent: bytes) -> None:
    answer = visitor.client.post("/sign-in", content=sent, headers={"origin": ORIGIN})
    assert answer.status_code in (400, 403)
    assert not visitor.client.cookies


def test_a_form_without_a_length_is_not_read(visitor: House) -> None:
    def endless() -> Iterator[bytes]:
        yield from [b"name=nation&"] * 1000

    assert visitor.client.post("/sign-in", content=endless(), headers={"origin": ORIGIN}).status_code == 400


def test_the_cookie_cannot_be_read_by_scripts_or_sent_from_elsewhere(visitor: House) -> None:
    said = visitor.sign_in("nation").headers["set-cookie"].lower()
    assert "httponly" in said
    assert "samesite=lax" in said
    assert "secure" not in said
    behind_tls = visitor.sign_in("nation", origin="https://testserver").headers["set-cookie"].lower()
    assert "secure" in behind_tls


def test_signing_in_and_failing_to_are_kept_in_the_trail(visitor: House) -> None:
    visitor.sign_in("nation", "wrong")
    visitor.sign_in("nation")
    assert [(deed.who, deed.what) for deed in visitor.state.users.trail(2)] == [
        ("nation", "signed_in"),
        ("nation", "sign_in_refused"),
    ]


def test_a_name_that_nobody_has_costs_the_same_hash_as_a_wrong_password(
    visitor: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash is all that takes time; each try makes one, with the same parameters and as long a salt."""
    made: list[Any] = []

    def counted(password: bytes, *, salt: bytes, **parameters: int) -> bytes:
        made.append((len(salt), parameters))
        return scrypt(password, salt=salt, **parameters)

    scrypt = hashlib.scrypt
    monkeypatch.setattr(hashlib, "scrypt", counted)
    visitor.state.users.put("shut", PASSWORD, "executive", datetime(2026, 1, 1, tzinfo=UTC))
    visitor.state.users.disable("shut")
    hashes = []
    for name in ("nation", "nobody", "shut"):
        made.clear()
        assert visitor.sign_in(name, "wrong").status_code == 403
        hashes.append(list(made))
    assert hashes == [[(16, SCRYPT)]] * 3


def test_passwords_are_kept_as_slow_hashes(visitor: House, tmp_path: Path) -> None:
    [one] = [user for user in visitor.state.users.all() if user.name == "nation"]
    assert one.password_hash.startswith("scrypt$")
    assert PASSWORD not in repr(one)
    assert one.password_hash not in repr(one)


async def test_websockets_are_closed_at_the_door(visitor: House) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.sleep(0)
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/_dash-ws-callback", "headers": [], "query_string": b""}
    await visitor.client.app(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_dash_offers_no_further_ways_in(visitor: House) -> None:
    """Its endpoint for machines (MCP), its websocket callbacks, its reloader and its documentation are off."""
    visitor.sign_in("nation")
    dash = get_app()
    assert dash._enable_mcp is False
    assert dash.backend.websocket_capability is False
    for path in (
        "/_mcp",
        "/mcp",
        "/_dash-ws-callback",
        "/_reload-hash",
        "/_alive_x",
        "/docs",
        "/redoc",
        "/openapi.json",
    ):
        for method in METHODS:
            assert visitor.client.request(method, path).status_code in (404, 405), (method, path)


def test_a_callback_that_does_not_exist_is_no_crash(visitor: House) -> None:
    visitor.sign_in("guangdong")
    quiet = TestClient(
        visitor.client.app, raise_server_exceptions=False, cookies=visitor.client.cookies, base_url=ORIGIN
    )
    for sent in ({}, {"output": "x.y"}, {**callback("/hq"), "output": "..page.children..", "outputs": []}):
        answer = quiet.post("/_dash-update-component", json=sent)
        assert BEIJING not in answer.text
        assert "Traceback" not in answer.text
