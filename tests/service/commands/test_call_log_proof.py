"""The whole way of a real call log: back-fill, query, audit; killed and resumed, replayed, split."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from contextlib import redirect_stdout
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from config.loading import load
from config.settings import ROOT
from service.commands.command_line import main

LOG = ROOT.parent / "shared" / "data" / "call_log" / "calls_1999-02-01_14.tsv"
CONFIG = ROOT / "examples" / "call_log"
CATALOGUE = load(CONFIG)
SPAN = ("--from", "1999-02-01", "--to", "1999-02-15")

pytestmark = pytest.mark.skipif(not LOG.exists(), reason=f"the real call log is not on this machine: {LOG}")


def command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "service.commands", "--config", "examples/call_log", "--home", str(home), *arguments]


def backfill(home: Path) -> None:
    done = subprocess.run(command(home, "backfill", "call_log", str(LOG)), cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def ask(home: Path, *arguments: str) -> Any:
    """What the command line prints, without a process for each question."""
    with redirect_stdout(StringIO()) as printed:
        code = main(["--config", str(CONFIG), "--home", str(home), *arguments, "--format", "json"])
    assert code == 0
    return json.loads(printed.getvalue())


def query(home: Path, metric: str, *more: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ask(home, "query", metric, *SPAN, *more)
    return rows


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("call_log")
    backfill(folder)
    return folder


def test_the_totals_of_two_weeks_are_those_worked_out_by_hand(home: Path) -> None:
    [answer_rate] = query(home, "answer_rate")
    assert (answer_rate["numerator"], answer_rate["denominator"]) == (14405, 16290)
    [abandonment] = query(home, "abandonment_rate_raw")
    assert (abandonment["numerator"], round(abandonment["value"], 5)) == (1885, 0.11572)
    assert round(query(home, "asa")[0]["value"], 3) == 34.405
    assert round(query(home, "aht")[0]["value"], 3) == 166.856
    assert round(query(home, "service_level_20s")[0]["value"], 5) == 0.56249
    assert (
        query(home, "service_level_20s", "--variant", "F3")[0]["value"] == query(home, "service_level_20s")[0]["value"]
    )


@pytest.mark.parametrize("split", [("--by", "30min"), ("--by", "day"), ("--group", "service_type")])
@pytest.mark.parametrize("metric", ["answer_rate", "asa", "abandonment_rate_raw"])
def test_any_split_sums_to_the_whole(home: Path, metric: str, split: tuple[str, str]) -> None:
    [whole] = query(home, metric)
    dependencies = query(home, metric, *split)
    assert len(dependencies) > 1
    for name in ("numerator", "denominator"):
        assert sum(row[name] or 0 for row in dependencies) == pytest.approx(whole[name], abs=1e-9)


@pytest.mark.parametrize(("metric", "share"), [("wait_p50", 0.5), ("wait_p90", 0.9)])
def test_percentiles_of_every_half_hour_lie_within_their_error_of_the_exact_ones(
    home: Path, metric: str, share: float
) -> None:
    waits: dict[datetime, list[float]] = defaultdict(list)
    for call in calls():
        if call["outcome"] == "AGENT":
            waits[half_hour(call)].append(float(call["q_time"]))
    found = {datetime.fromisoformat(row["start"]): row for row in query(home, metric, "--by", "30min")}
    assert sum(row["value"] is not None for row in found.values()) == len(waits) > 300
    for start, exact in waits.items():
        truth = float(np.quantile(exact, share, method="lower"))
        assert found[start]["n"] == found[start]["denominator"] == len(exact)
        assert found[start]["value"] == pytest.approx(truth, rel=CATALOGUE.accuracies["wait_band"])


def test_customers_are_counted_once_over_all_services_and_the_parts_say_what_they_come_to(home: Path) -> None:
    known = [(call["customer_id"], call["type"]) for call in calls() if call["customer_id"] != "0"]
    exact = len({customer for customer, _ in known})
    [whole] = query(home, "customers")
    assert whole["value"] == pytest.approx(exact, rel=3 * 0.033)
    assert (whole["n"], whole["denominator"]) == (len(known), len(list(calls())))
    parts = query(home, "customers", "--group", "service_type")
    assert {row["together"] for row in parts} == {whole["value"]}
    assert sum(row["value"] for row in parts if row["n"]) > whole["value"]
    assert [row["value"] for row in parts if not row["n"]] == [None], "the log names nobody who asked for the internet"
    days = query(home, "customers", "--by", "day")
    assert sum(row["value"] for row in days) > 1.5 * whole["value"]


def calls() -> list[dict[str, str]]:
    """Every call of the file once, as its last line tells it; phantoms are none."""
    rows = LOG.read_text(encoding="utf-8").splitlines()
    names = rows[0].split("\t")
    lines = [dict(zip(names, line.split("\t"), strict=True)) for line in rows[1:]]
    return list({(line["vru+line"], line["call_id"]): line for line in lines if line["outcome"] != "PHANTOM"}.values())


def half_hour(call: dict[str, str]) -> datetime:
    date, clock = call["date"], call["vru_entry"].split(":")
    day = datetime(1900 + int(date[:2]), int(date[2:4]), int(date[4:]), tzinfo=ZoneInfo("Asia/Jerusalem"))
    return day.replace(hour=int(clock[0]), minute=int(clock[1]) // 30 * 30)


def test_replaying_the_file_changes_nothing(home: Path) -> None:
    before = query(home, "aht", "--by", "hour")
    backfill(home)
    assert query(home, "aht", "--by", "hour") == before


def test_a_back_fill_killed_at_any_point_ends_the_same_when_resumed(home: Path, tmp_path: Path) -> None:
    chance = random.Random(19990201)
    for _ in range(3):
        process = subprocess.Popen(
            command(tmp_path, "backfill", "call_log", str(LOG)),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(chance.uniform(0.5, 4.0))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
    backfill(tmp_path)
    for metric in ("answer_rate", "aht", "service_level_20s"):
        assert query(tmp_path, metric, "--by", "30min") == query(home, metric, "--by", "30min")


def test_the_command_line_prints_what_it_was_asked(home: Path) -> None:
    asked = command(home, "query", "answer_rate", *SPAN, "--format", "csv")
    printed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert printed[0] == "start,end,region,channel,metric,value,numerator,denominator,n,state,trust,reason"
    assert printed[1].split(",")[6:8] == ["14405", "16290"]


def test_the_audit_names_every_line_that_is_wrong_and_leaves_the_clock_habit_alone(home: Path) -> None:
    found = ask(home, "audit", *SPAN)
    lines: dict[str, set[int]] = {}
    for finding in found:
        for row in finding["rows"]:
            lines.setdefault(str(row.get("column")), set()).add(row["line"])
    assert lines["server"] == wrong_lines(lambda row: row["outcome"] == "AGENT" and row["server"] == "NO_SERVER")
    assert len(lines["server"]) == 275
    negative = wrong_lines(lambda row: row["vru_time"].startswith("-"))
    assert len(negative) == 17
    assert negative <= lines["vru_time"]
    assert "ser_start" not in lines


def wrong_lines(wrong: Any) -> set[int]:
    rows = LOG.read_text(encoding="utf-8").splitlines()
    names = rows[0].split("\t")
    return {at for at, line in enumerate(rows[1:], start=2) if wrong(dict(zip(names, line.split("\t"), strict=True)))}
