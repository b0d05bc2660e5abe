"""Starts that cannot be, ends that leave nothing behind, and starts after a kill."""

import os
import select
import shutil
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.loading import PRODUCT
from tests.support.real_product import House, Product, has_figure, start_and_end

pytestmark = pytest.mark.timeout(240)


def contacts_of_before(product: Product, moment: datetime) -> float:
    """Contacts of half an hour that has settled."""
    span = [
        "--from",
        (moment - timedelta(minutes=55)).isoformat(),
        "--to",
        (moment - timedelta(minutes=25)).isoformat(),
    ]
    [row] = product.ask("query", "contacts", *span)
    return float(row["value"])


def ended_within(seconds: float, pids: list[int]) -> bool:
    """Whether processes that are not our children have ended."""
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        with os.fdopen(handle) as ending:
            if not select.select([ending], [], [], seconds)[0]:
                return False
    return True


def test_ctrl_c_ends_everything_and_the_next_start_shows_the_figures_of_before(house: House) -> None:
    product, moment = house.running(), datetime.now(UTC)
    product.screen("hq", has_figure)
    before = contacts_of_before(product, moment)
    assert len(house.processes()) >= 2
    assert product.signal(signal.SIGINT) == 0
    assert house.processes() == []
    assert "Traceback" not in product.errors

    again = house.running(demo=False)
    shown = again.screen("hq", has_figure)
    assert shown["simulated"]["@hidden"] == ""
    # What still waited in the stream of pushed batches comes on top.
    assert contacts_of_before(again, moment) >= before > 0


def test_without_the_nation_there_is_no_simulator(house: House) -> None:
    product = house.running(demo=False)
    assert house.processes("simulator") == []
    product.screen("hq", lambda shown: shown["waiting"]["@hidden"] == "")
    assert product.health().json()["status"] == "ok"
    assert product.signal(signal.SIGTERM) == 0
    assert house.processes() == []


def test_after_a_kill_the_nation_ends_by_itself_and_the_next_start_takes_over(house: House) -> None:
    product = house.running()
    nation, valkey = house.processes("simulator"), house.processes("valkey-server")
    assert len(nation) == len(valkey) == 1
    assert product.signal(signal.SIGKILL) == -signal.SIGKILL
    assert ended_within(10, nation)
    assert house.processes() == valkey

    again = house.running(demo=False)
    again.screen("hq", has_figure)
    assert ended_within(1, valkey)
    assert len(house.processes("valkey-server")) == 1
    assert again.signal(signal.SIGTERM) == 0
    assert house.processes() == []


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = start_and_end(tmp_path / "home", port=str(port))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"cannot listen on 127.0.0.1:{port}: Address already in use; try PORT=")
    assert not (tmp_path / "home" / "demo").exists()


def test_a_catalogue_that_is_wrong_stops_the_start_with_file_key_and_reason(tmp_path: Path) -> None:
    shutil.copytree(PRODUCT / "channels", tmp_path / "config" / "channels")
    file = tmp_path / "config" / "channels" / "sms.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("interval_s: 60", "intervall_s: 60"), encoding="utf-8")
    ended = start_and_end(tmp_path / "home", config_dir=str(tmp_path / "config"))
    assert ended.returncode == 2
    assert f"{file}: intervall_s" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - the point of the test
def test_an_address_that_others_reach_wants_a_login(tmp_path: Path, host: str) -> None:
    ended = start_and_end(tmp_path / "home", host=host)
    assert (ended.returncode, "WATCHFLOOR_ACCESS=login" in ended.stderr) == (2, True)
