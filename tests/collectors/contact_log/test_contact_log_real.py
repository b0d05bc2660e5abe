"""The call log of a real telephone centre through its example catalogue, against figures worked out apart from it."""

from typing import Any

import pandas as pd
import pytest

import collectors
from config.loading import load
from config.settings import ROOT
from metrics.observations import Parsed, decode_dimensions
from tests.support.installation import installation
from tests.support.tailing_world import Ledger, ask, with_tail

LOG = ROOT.parent / "shared" / "data" / "call_log" / "calls_1999-02-01_14.tsv"

pytestmark = pytest.mark.skipif(not LOG.exists(), reason=f"the real call log is not on this machine: {LOG}")


@pytest.fixture(scope="module")
def collector() -> Any:
    catalogue = load(ROOT / "examples" / "call_log")
    channel = catalogue.channels["call_log"]
    return collectors.build(catalogue, channel, channel.sources[0], installation(b"a key of the tests"))


@pytest.fixture(scope="module")
def parsed(collector: Any) -> Parsed:
    payload = collector.fetch_file(LOG, ask())
    assert not payload.more
    result: Parsed = collector.parse(payload)
    return result


@pytest.fixture(scope="module")
def calls() -> pd.DataFrame:
    """The log read by pandas alone, with the line numbers of the file."""
    table = pd.read_csv(LOG, sep="\t", dtype=str, keep_default_na=False)
    table.insert(0, "line", range(2, len(table) + 2))
    return table


def sums(parsed: Parsed) -> dict[str, float]:
    assert parsed.contributions is not None
    found: dict[str, float] = parsed.contributions.groupby("measure", observed=True)["value"].sum().to_dict()
    return found


def test_the_totals_are_those_of_the_log_s_own_description(parsed: Parsed) -> None:
    total = sums(parsed)
    assert (parsed.read, parsed.excluded, parsed.rejects) == (17_456, {"phantom": 143}, ())
    counts = {
        name: total[name]
        for name in ("contacts", "offered", "answered", "abandoned", "abandoned_20s", "ivr_exits_no_agent")
    }
    assert list(counts.values()) == [17_313, 16_290, 14_405, 1_885, 651, 1_023]
    assert total["ivr_entries"] == total["contacts"]
    assert total["manual_requests"] == total["offered"]
    assert round(total["wait_answered_s"] / total["answered"], 3) == 34.405
    assert round((total["talk_s"] + total["hold_s"] + total["acw_s"]) / total["handled"], 3) == 166.856
    assert round(total["answered_20s"] / total["offered"], 5) == 0.56249
    assert round(total["answered_15s"] / total["manual_requests"], 5) == 0.53560
    assert round(total["abandoned"] / total["offered"], 5) == 0.11572


def test_every_half_hour_and_service_type_agrees_with_pandas(parsed: Parsed, calls: pd.DataFrame) -> None:
    table = parsed.contributions
    assert table is not None
    asked = calls[(calls["outcome"] == "AGENT") | ((calls["outcome"] == "HANG") & (calls["q_start"] != "0:00:00"))]
    local = pd.to_datetime(asked["date"] + asked["vru_entry"], format="%y%m%d%H:%M:%S")
    arrived = local.dt.tz_localize("Asia/Jerusalem").dt.tz_convert("UTC")
    expected = asked.groupby([arrived.dt.floor("30min"), asked["type"]]).size()
    offered = table[table["measure"] == "offered"]
    kinds = offered["dimension"].astype(str).map(lambda key: decode_dimensions(key)["service_type"])
    found = offered.groupby([offered["start"].dt.floor("30min"), kinds])["value"].sum()
    names = {
        "PS": "ordinary",
        "PE": "english",
        "IN": "internet",
        "NE": "stock_exchange",
        "NW": "new_customer",
        "TT": "called_back",
    }
    assert {(at.timestamp(), names[kind]): size for (at, kind), size in expected.items()} == {
        (at.timestamp(), kind): value for (at, kind), value in found.items()
    }
    assert found.sum() == 16_290


def test_no_customer_s_number_is_in_the_tables(parsed: Parsed, calls: pd.DataFrame) -> None:
    assert parsed.rows is not None
    assert parsed.rows["customer_id"].nunique() == calls.loc[calls["customer_id"] != "0", "customer_id"].nunique() + 1
    assert not set(parsed.rows["customer_id"].astype(str)) & set(calls["customer_id"])


def broken(parsed: Parsed, collector: Any) -> dict[tuple[str, str], list[int]]:
    """Lines that break each row expectation."""
    audit_rows = pytest.importorskip("data_quality.row_rules").audit_rows
    source = collector.plan.source
    return {
        (one.rule, one.measure): [row["line"] for row in one.rows]
        for one in audit_rows(parsed.rows, source, "call_log")
    }


def test_the_natural_errors_are_named_line_by_line_and_the_clock_habit_is_not(
    parsed: Parsed, collector: Any, calls: pd.DataFrame
) -> None:
    seconds = {
        name: pd.to_timedelta(calls[name]).dt.total_seconds() for name in ("q_start", "q_exit", "ser_start", "ser_exit")
    }
    expected = {
        ("AC-01", "vru_time"): calls["vru_time"].astype(int) < 0,
        ("AC-02", "server"): (calls["outcome"] == "AGENT") & (calls["server"] == "NO_SERVER"),
        ("AC-02", "outcome"): calls["outcome"] == "PHANTOM",
        ("TY-03", "q_exit"): seconds["q_exit"] < seconds["q_start"],
        ("TY-03", "ser_exit"): seconds["ser_exit"] < seconds["ser_start"],
    }
    found = broken(parsed, collector)
    assert found == {key: calls.loc[mask, "line"].tolist() for key, mask in expected.items()}
    assert [len(found[key]) for key in expected] == [17, 275, 143, 2, 9]


@pytest.mark.parametrize("chunk", [70_001, 400_000])
def test_reading_in_pieces_gives_the_same(collector: Any, parsed: Parsed, chunk: int) -> None:
    pieces = with_tail(collector, chunk=chunk)
    ledger = Ledger()
    while True:
        payload = pieces.fetch_file(LOG, ask(ledger.cursor))
        ledger.keep(payload, pieces.parse(payload))
        if not payload.more:
            break
    assert ledger.payloads > 3
    assert ledger.sums() == sums(parsed)
