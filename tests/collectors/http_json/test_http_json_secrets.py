"""How http_json proves who asks, and that no secret comes out again."""

import logging
from typing import Any

import pytest

from collectors.http_json.authorisation import Authorisation
from collectors.http_json.calling import Call as Exchanged
from collectors.http_json.hidden_secrets import Secrets
from collectors.http_json.options import TokenAuth
from service.sources import from_environment
from tests.support.json_interface import Call, Interface, Reply, say
from tests.support.json_reader import HOUR, fault, one, reader, taken
from tests.support.record_sources import ask

# Who asks


def test_secrets_travel_where_the_yaml_says(server: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", " key-0123 ")
    monkeypatch.setenv("A_USER", "watch")
    server.routes["/rows"] = lambda _: one()
    for auth in (
        {"by": "header", "prefix": "Bearer ", "env": "A_KEY"},
        {"by": "query", "name": "key", "env": "A_KEY"},
        {"by": "basic", "user_env": "A_USER", "password_env": "A_KEY"},
    ):
        payload = reader(server, auth=auth).fetch(ask(*HOUR))
        assert payload.origin == f"{server.url}/rows"
    header, query, basic = server.calls
    assert header.headers["authorization"] == "Bearer key-0123"
    assert query.params == {"key": "key-0123"}
    assert basic.headers["authorization"] == "Basic d2F0Y2g6a2V5LTAxMjM="


def test_a_missing_secret_is_named_and_nothing_is_asked(server: Interface) -> None:
    found = fault(reader(server, auth={"by": "header", "env": "NO_SUCH_SECRET"}))
    assert (found.code, found.permanent) == ("misconfigured", True)
    assert "NO_SUCH_SECRET" in found.detail
    assert server.calls == []


TOKEN = {
    "by": "token",
    "path": "/token",
    "params": {"grant_type": "client_credential"},
    "secret_params": {"appid": "AN_ID", "secret": "A_SECRET"},
    "expired_codes": [42001],
}


@pytest.fixture
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AN_ID", "id-0123")
    monkeypatch.setenv("A_SECRET", "secret/0123+")


def tokens(server: Interface, expires_in: Any = 7200) -> None:
    """Let the server hand out `token-1`, `token-2`, …"""
    given: list[str] = []

    def give(call: Call) -> Reply:
        given.append(f"token-{len(given) + 1}")
        return say({"access_token": given[-1], "expires_in": expires_in})

    server.routes["/token"] = give


@pytest.mark.usefixtures("_credentials")
def test_a_token_is_fetched_once_and_kept(server: Interface) -> None:
    tokens(server)
    server.routes["/rows"] = lambda _: one()
    built = reader(server, auth=TOKEN)
    built.fetch(ask(*HOUR))
    built.fetch(ask(*HOUR))
    (token,) = server.asked("/token")
    assert token.params == {"grant_type": "client_credential", "appid": "id-0123", "secret": "secret/0123+"}
    assert [call.params["access_token"] for call in server.asked("/rows")] == ["token-1", "token-1"]


@pytest.mark.usefixtures("_credentials")
async def test_a_token_is_renewed_before_it_expires() -> None:
    now, given = 0.0, 0

    async def exchange(call: Exchanged) -> dict[str, object]:
        nonlocal given
        given += 1
        return {"access_token": f"token-{given}", "expires_in": 7200}

    auth = TokenAuth.model_validate(TOKEN | {"margin_s": 200})
    authorisation = Authorisation(auth, Secrets(from_environment), lambda: now)
    for moment, token in ((0.0, "token-1"), (6999.0, "token-1"), (7000.0, "token-2"), (13_999.0, "token-2")):
        now = moment
        assert (await authorisation.proof(exchange)).params == {"access_token": token}


@pytest.mark.usefixtures("_credentials")
@pytest.mark.parametrize("refusal", [say({"errcode": 42001, "errmsg": "expired"}), say({}, 401)], ids=["42001", "401"])
def test_a_refused_token_is_renewed_once(server: Interface, refusal: Reply) -> None:
    tokens(server)
    server.in_turn("/rows", refusal, one())
    built = reader(server, auth=TOKEN, errors={"code": "errcode", "words": "errmsg"})
    assert taken(built).read == 1
    assert [call.params["access_token"] for call in server.asked("/rows")] == ["token-1", "token-2"]
    server.routes["/rows"] = lambda _: refusal
    found = fault(built)
    assert (found.code, found.permanent) == ("unauthorised", True)
    assert len(server.asked("/rows")) == 4


@pytest.mark.usefixtures("_credentials")
@pytest.mark.parametrize("body", ["json", "form"])
def test_a_token_can_be_posted_for_and_sent_in_a_header(server: Interface, body: str) -> None:
    tokens(server)
    server.routes["/rows"] = lambda _: one()
    auth = TOKEN | {"method": "POST", "body": body, "send_as": "header", "name": "Authorization", "prefix": "Bearer "}
    reader(server, auth=auth).fetch(ask(*HOUR))
    token, call = server.calls
    assert token.params == {}
    assert (b"appid=id-0123" if body == "form" else b'"appid":"id-0123"') in token.body
    assert call.headers["authorization"] == "Bearer token-1"


@pytest.mark.usefixtures("_credentials")
@pytest.mark.parametrize(
    "answer",
    [{}, [], {"access_token": 7, "expires_in": 1}, {"access_token": "t", "expires_in": "x"}, {"access_token": "a\nb"}],
)
def test_a_token_answer_that_is_none_is_unreadable(server: Interface, answer: Any) -> None:
    server.routes["/token"] = lambda _: say(answer)
    assert fault(reader(server, auth=TOKEN)).code == "unreadable"


@pytest.mark.usefixtures("_credentials")
def test_secrets_are_in_no_message_and_no_log(server: Interface, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tokens(server)
    echo = "invalid credential token-1 for secret/0123+ and secret%2F0123%2B"
    server.routes["/rows"] = lambda _: say({"errcode": 48001, "errmsg": echo})
    built = reader(server, auth=TOKEN, errors={"code": "errcode", "words": "errmsg", "permanent": [48001]})
    found = fault(built)
    assert (found.code, found.permanent) == ("rejected_by_source", True)
    assert found.detail == "the source answers errcode 48001: invalid credential *** for *** and ***"
    assert found.__cause__ is None
    told = caplog.text + repr(found) + repr(built)
    assert not any(secret in told for secret in ("token-1", "secret/0123", "secret%2F"))
