"""Questions of other systems: the figures of every other answer, inside the asker's region, bounded and given up."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Any
from urllib.parse import urlencode

import jsonschema
import pytest
from starlette.testclient import TestClient

from analysis.questions.answer import Answer, answer
from analysis.questions.answering import Answering
from analysis.questions.cache import Cache
from analysis.questions.faults import Unavailable
from analysis.questions.question import MOST_PAGE_ROWS, Question
from analysis.questions.runner import Runner
from analysis.questions.transport import TERMS, InProcess, Terms
from config.catalogue import NATION
from dashboards.access.tokens import TokenAccess
from dashboards.access.viewers import OpenAccess
from dashboards.api.figures import FIGURES, OBSERVATIONS
from dashboards.executors import Executors
from dashboards.site.application import create_app
from metrics.observations import Interval
from pipeline.dependencies import Dependencies
from pipeline.flow.turn import turn
from tests.support.interface_world import ARROW, CSV, JSON, PROBLEM, read_arrow, read_csv
from tests.support.live_world import MemoryLive
from tests.support.pipeline_world import (
    GUANGZHOU,
    NOON,
    SHENZHEN,
    WUHAN,
    Clock,
    Scripted,
    feeder,
    pipeline,
    row,
    stores,
)  # fmt: skip

GUANGDONG = "440000"
HOUR = {"from": "2026-11-21T03:00:00Z", "to": "2026-11-21T12:00:00+08:00"}
SPAN = Interval(NOON - timedelta(hours=1), NOON)
ANSWER_RATE = {"metric": "answer_rate", **HOUR}


class Asked:
    """A transport that says what it was asked, and may refuse or hang."""

    def __init__(self, inner: InProcess) -> None:
        self._inner = inner
        self.terms: list[Terms] = []
        self.fault: Exception | None = None

    def ask(self, question: Any, terms: Terms = TERMS) -> Any:
        self.terms.append(terms)
        if self.fault is not None:
            raise self.fault
        return self._inner.ask(question, terms)


@dataclass
class World:
    """An application over a pipeline's stores."""

    client: TestClient
    dependencies: Dependencies
    questions: Asked
    executors: Executors

    def token(self, role: str, region: str = NATION) -> str:
        return self.dependencies.state.tokens.add(role, role, region, NOON, NOON + timedelta(days=1))[1]

    def get(self, name: str, token: str, accept: str = JSON, **asked: Any) -> Any:
        headers = {"authorization": f"Bearer {token}", "accept": accept}
        return self.client.get(f"/api/v1/{name}?{urlencode(asked, doseq=True)}", headers=headers)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    runner, executors = Runner(), Executors()
    with pipeline(tmp_path_factory.mktemp("home"), Clock()) as opened:
        rows = [
            row("offered", GUANGZHOU, 1092), row("answered", GUANGZHOU, 725), row("abandoned", GUANGZHOU, 367),
            row("offered", WUHAN, 74), row("answered", WUHAN, 37), row("abandoned", WUHAN, 37),
            row("contacts", SHENZHEN, 5, service_type="billing"), row("contacts", SHENZHEN, 7, service_type="package"),
        ]  # fmt: skip
        turn(opened, feeder(opened, collector=Scripted(opened, [rows])))
        own = stores(opened)
        questions = Asked(InProcess(Answering(own, Cache(own, opened.touches), {}), runner))
        access = TokenAccess(opened.catalogue, opened.state.tokens, OpenAccess(), lambda: 0.0, lambda: NOON)
        app = create_app(
            opened.catalogue, MemoryLive(), access, windows={}, executors=executors, questions=questions,
        )  # fmt: skip
        runner.start()
        with TestClient(app, base_url="http://testserver") as client:
            yield World(client, opened, questions, executors)
        runner.stop()


@pytest.fixture(scope="module")
def nation(world: World) -> str:
    return world.token("executive")


@pytest.fixture(scope="module")
def guangdong(world: World) -> str:
    return world.token("province_manager", GUANGDONG)


def rows_of(given: Any) -> list[dict[str, Any]]:
    assert given.status_code == 200, given.text
    found: list[dict[str, Any]] = given.json()["rows"]
    return found


def problem(given: Any, status: int) -> dict[str, Any]:
    assert (given.status_code, given.headers["content-type"]) == (status, PROBLEM), given.text
    told: dict[str, Any] = given.json()
    return told


def test_a_figure_is_that_of_every_other_answer(world: World, nation: str) -> None:
    [whole] = rows_of(world.get("query", nation, **ANSWER_RATE))
    assert (whole["numerator"], whole["denominator"], whole["value"]) == (762, 1166, 762 / 1166)
    [same] = answer(stores(world.dependencies), Question("answer_rate", SPAN)).rows()
    names = ("value", "numerator", "denominator", "n", "state", "trust", "reason", "region", "channel", "metric")
    assert {name: whole[name] for name in names} == {name: same[name] for name in names}


@pytest.mark.parametrize(
    "asked",
    [
        {"group": ["region"]},
        {"group": ["region", "channel"], "grain": "15min"},
        {"compare": "previous", "grain": "hour"},
        {"compare": "target"},
        {"metric": "contacts", "group": ["service_type"], "channel": "desk"},
        {"metric": "contacts", "where": ["service_type=billing", "service_type=package"], "channel": "desk"},
        {"region": GUANGDONG, "known_at": "2026-11-21T05:00:00Z"},
    ],
)
def test_every_format_says_the_same(world: World, nation: str, asked: dict[str, Any]) -> None:
    asked = {**ANSWER_RATE, **asked}
    as_json = world.get("query", nation, **asked)
    rows = rows_of(as_json)
    described = world.get("openapi.json", nation).json()["paths"]["/query"]["get"]["responses"]["200"]["content"]
    schema = described[JSON]["schema"]
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(as_json.json())
    cells = schema["properties"]["rows"]["items"]["properties"]
    assert list(rows[0]) == list(cells) == [column.name for column in FIGURES]
    assert read_csv(world.get("query", nation, CSV, **asked).text, cells) == rows
    assert read_arrow(world.get("query", nation, ARROW, **asked).content) == rows


def test_dimensions_are_named_with_their_values(world: World, nation: str) -> None:
    asked: dict[str, Any] = {**ANSWER_RATE, "metric": "contacts", "channel": "desk", "group": ["service_type"]}
    found = rows_of(world.get("query", nation, **asked))
    assert {row["dimension"]: row["value"] for row in found} == {"service_type=billing": 5, "service_type=package": 7}
    [chosen] = rows_of(world.get("query", nation, **{**asked, "group": [], "where": ["service_type=billing"]}))
    assert chosen["value"] == 5


def test_figures_and_observations_come_in_pages(world: World, nation: str) -> None:
    asked: dict[str, Any] = {**ANSWER_RATE, "group": ["region"], "grain": "15min"}
    whole = rows_of(world.get("query", nation, **asked))
    assert len(whole) > 3
    assert _walked(world, nation, "query", limit=3, **asked) == whole
    behind = rows_of(world.get("rows", nation, **ANSWER_RATE))
    assert [list(row) for row in behind[:1]] == [[column.name for column in OBSERVATIONS]]
    assert sum(row["value"] for row in behind if row["measure"] == "answered") == 762
    assert len(behind) > 2
    assert _walked(world, nation, "rows", limit=2, **ANSWER_RATE) == behind


def _walked(world: World, token: str, name: str, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = world.get(name, token, **asked, **cursor)
        found += rows_of(page)
        if page.json()["next"] is None:
            assert "link" not in page.headers
            return found
        assert len(page.json()["rows"]) == asked["limit"]
        cursor = {"cursor": page.json()["next"]}


def test_what_has_not_changed_is_not_sent_again(world: World, nation: str) -> None:
    first = world.get("query", nation, **ANSWER_RATE)
    headers = {"authorization": f"Bearer {nation}", "if-none-match": first.headers["etag"]}
    again = world.client.get(f"/api/v1/query?{urlencode(ANSWER_RATE)}", headers=headers)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["query", "rows"])
def test_a_province_asks_about_itself_and_nothing_else(world: World, guangdong: str, name: str) -> None:
    own = world.get(name, guangdong, **ANSWER_RATE)
    assert {row["region"][:2] for row in rows_of(own)} == {"44"}
    if name == "query":
        assert [(row["numerator"], row["denominator"]) for row in rows_of(own)] == [(725, 1092)]
    assert world.questions.terms[-1].scope == GUANGDONG
    for region in (NATION, "420000", WUHAN):
        told = problem(world.get(name, guangdong, **ANSWER_RATE, region=region), 403)
        assert set(told) == {"title", "status", "detail", "action", "region"}


@pytest.mark.parametrize("name", ["query", "rows"])
def test_a_role_that_may_not_ask_is_refused(world: World, name: str) -> None:
    told = problem(world.get(name, world.token("wall"), **ANSWER_RATE), 403)
    assert told["action"] in ("ask_questions", "see_rows")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"metric": "nothing"}, "answer_rate"),
        ({"from": "2026-11-21T03:00:00"}, "time zone"),
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-11-21T03:00:00Z"}, "not after"),
        ({"grain": "2min"}, "grain"),
        ({"group": ["region", "channel", "service_type"]}, "group"),
        ({"group": ["colour"]}, "colour"),
        ({"where": ["service_type"]}, "where"),
        ({"compare": "yesterday"}, "compare"),
        ({"channel": "desc"}, "desk"),
        ({"from": "2020-01-01T00:00:00Z", "grain": "1min", "group": ["region"]}, "fit"),
        ({"cursor": "?"}, "cursor"),
        ({"limit": "0"}, "limit"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_question_is_told_with_what_there_is(
    world: World, nation: str, asked: dict[str, Any], said: str
) -> None:
    told = problem(world.get("query", nation, **{**ANSWER_RATE, **asked}), 400)
    assert said in told["detail"]


def test_what_is_missing_is_named(world: World, nation: str) -> None:
    told = problem(world.get("query", nation), 400)
    assert {fault["parameter"] for fault in told["faults"]} == {"metric", "from", "to"}
    assert "from" in told["parameters"]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30])
def test_a_page_of_observations_that_is_none_is_refused(world: World, nation: str, cursor: str) -> None:
    assert problem(world.get("rows", nation, **ANSWER_RATE, cursor=cursor), 400)["parameter"] == "cursor"
    assert problem(world.get("rows", nation, **ANSWER_RATE, limit=MOST_PAGE_ROWS + 1), 400)


def test_who_cannot_be_answered_now_is_told_when_to_come_back(world: World, nation: str) -> None:
    world.questions.fault = Unavailable("the store does not answer", "away")
    try:
        given = world.get("query", nation, **ANSWER_RATE)
    finally:
        world.questions.fault = None
    assert problem(given, 503)["code"] == "away"
    assert given.headers["retry-after"] == "5"


def test_more_than_may_wait_are_told_to_come_back_and_the_lists_go_on(world: World, nation: str) -> None:
    released, full = Event(), world.executors.questions
    loop = world.client.portal
    assert loop is not None

    async def hang() -> None:
        for _ in range(2 + 20):
            task = asyncio.create_task(full.run(released.wait, 60))
            tasks.append(task)
        await asyncio.sleep(0)

    tasks: list[Any] = []
    loop.call(hang)
    try:
        given = world.get("query", nation, **ANSWER_RATE)
        assert problem(given, 503)
        assert given.headers["retry-after"] == "5"
        assert len(rows_of(world.get("metrics", nation))) > 0
    finally:
        released.set()
        loop.call(lambda: asyncio.gather(*tasks))


async def test_who_goes_away_stops_the_question(world: World, nation: str) -> None:
    """The one who asks closes the connection while the answer is worked on."""
    begun, stopped = Event(), Event()

    class Hanging:
        def ask(self, question: Question, terms: Terms) -> Answer:
            begun.set()
            while not terms.cancelled():
                stopped.wait(0.01)
            stopped.set()
            raise Unavailable("nobody waits", "late")

    access = TokenAccess(
        world.dependencies.catalogue, world.dependencies.state.tokens, OpenAccess(), lambda: 0.0, lambda: NOON
    )
    app = create_app(
        world.dependencies.catalogue, MemoryLive(), access, windows={}, questions=Hanging(),  # type: ignore[arg-type]
    )  # fmt: skip
    given = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        first = next(given, None)
        if first is not None:
            return first
        await asyncio.to_thread(begun.wait, 60)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": "/api/v1/query", "raw_path": b"/api/v1/query",
        "root_path": "", "scheme": "http", "query_string": urlencode(ANSWER_RATE).encode(), "client": ("127.0.0.1", 1),
        "server": ("testserver", 80), "headers": [(b"authorization", f"Bearer {nation}".encode())],
    }  # fmt: skip
    await app(scope, receive, send)
    assert stopped.is_set()
