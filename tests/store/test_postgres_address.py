"""One way to say where PostgreSQL is, for facts and for state: a server, or a primary and its standbys."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from config.settings import BadSetting
from store.facts.postgres import PostgresHistory
from store.faults import StoreUnreachable
from store.postgres_address import parameters
from store.state import open_state
from tests.support.real_postgres import schema_of
from tests.support.store_world import world

READ_ONLY = "%20-cdefault_transaction_read_only%3Don"


def open_facts(url: str) -> None:
    with closing(PostgresHistory(url, world())) as history:
        assert history.holdings().rows == 0


def open_own_state(url: str) -> None:
    with closing(open_state(url, world().rules)) as state:
        assert state.findings.open() == []


each = pytest.mark.parametrize("opened", [open_facts, open_own_state])


@each
@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_of_several_servers_one_that_is_gone_is_passed_by(
    opened: Callable[[str], None], scheme: str, tmp_path: Path
) -> None:
    told = conninfo_to_dict(schema_of(tmp_path))
    server, options = quote(str(told["host"]), safe=""), quote(str(told["options"]))
    opened(f"{scheme}://postgres@127.0.0.1:1,{server}/postgres?options={options}")


@each
def test_a_server_that_takes_no_writes_is_passed_by(opened: Callable[[str], None], tmp_path: Path) -> None:
    url = schema_of(tmp_path)
    with pytest.raises(StoreUnreachable, match="read-only"):
        opened(f"{url}{READ_ONLY}")
    opened(url)


@each
def test_no_address_is_told_without_repeating_it(opened: Callable[[str], None]) -> None:
    with pytest.raises(BadSetting, match=r"no address of PostgreSQL; it is postgresql://") as refusal:
        opened("postgresql://watch:secret-word@h1?nonsense=1")
    assert "secret-word" not in str(refusal.value)


def test_what_an_address_says_itself_is_kept() -> None:
    told = parameters("postgresql://h1:1,h2:2/facts?connect_timeout=1", "facts")
    assert (told["host"], told["port"], told["connect_timeout"]) == ("h1,h2", "1,2", "1")
    assert (told["application_name"], told["target_session_attrs"]) == ("watchfloor facts", "read-write")
