"""The kind `access_log`: visits over readings, paths of contacts, a real log against an independent count."""

import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collectors.access_log.options import Options
from collectors.access_log.parsing import is_under, line_pattern, path_of, seconds_of
from collectors.access_log.visits import follow_visits
from collectors.shared.lines import Place
from config.catalogue import Channel
from config.settings import ROOT
from metrics.observations import Interval, Payload
from tests.support.tailing_world import NOW, Ledger, build, follow, pack, read_file, with_tail

KIND = ROOT / "collectors" / "access_log"
LOG = KIND.parents[2] / "shared" / "data" / "web_logs" / "apache_access_10k.log"
PLAIN: dict[str, Any] = {"path": "access.log", "region": {"constant": "440100"}}
WEB = ("web_visits", "web_requests", "web_errors", "web_client_errors")


def line(minute: int, client: str = "1.1.1.1", path: str = "/", status: int = 200, agent: str = "a") -> str:
    at = f"21/Nov/2026:{minute // 60:02}:{minute % 60:02}:00 +0000"
    return f'{client} - - [{at}] "GET {path} HTTP/1.1" {status} 1 "-" "{agent}"\n'


def parse(data: bytes, options: dict[str, Any], measures: tuple[str, ...] = WEB, **more: Any) -> Any:
    collector = build("access_log", options, measures=measures, **more)
    cursor = {"place": Place("access.log", 0, 0, "0" * 64, 0).as_json()}
    return collector.parse(Payload(data, NOW, Interval(NOW, NOW), "access.log", cursor))


def test_the_sample_is_a_valid_channel_whose_readme_names_every_option() -> None:
    channel = Channel.model_validate(yaml.safe_load((KIND / "sample.yaml").read_text(encoding="utf-8")))
    Options.model_validate(channel.sources[0].options)
    readme = (KIND / "README.md").read_text(encoding="utf-8")
    assert [name for name in Options.model_fields if f"`{name}`" not in readme] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"paht": "x"}, "Extra inputs"),
        ({"latency": {"field": "request_time"}}, "are not in the log"),
        ({"region": {"field": "host"}}, "are not in the log"),
        ({"client": "forwarded"}, "are not in the log"),
        ({"region": {}}, "give either"),
    ],
)
def test_options_that_mean_nothing_stop_the_start(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Options.model_validate(PLAIN | change)


@pytest.mark.parametrize(
    ("measures", "carried", "message"),
    [
        (("web_latency_s",), (), "cannot be made"),
        (("contacts",), (), "cannot be made"),
        (("web_requests",), ("service_type",), "dimensions of 'web_requests'"),
    ],
)
def test_a_channel_that_does_not_fit_its_options_is_not_built(measures: Any, carried: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build("access_log", PLAIN, measures=measures, carried=carried)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_visit_goes_on_from_one_reading_to_the_next(tmp_path: Path, size: int) -> None:
    """The gap is 30 minutes without a request of the same client and agent."""
    minutes = [0, 29, 59, 60, 90, 91, 122]
    lines = [line(minute) for minute in minutes] + [line(123, agent="b"), line(123, client="2.2.2.2")]
    live = tmp_path / "access.log"
    ledger = Ledger()
    collector = with_tail(build("access_log", PLAIN, measures=WEB), path=live)
    for end in range(size, len(lines) + size, size):
        live.write_text("".join(lines[:end]), encoding="utf-8")
        follow(collector, ledger)
    assert ledger.sums() == {"web_visits": 4, "web_requests": 9}
    assert "1.1.1.1" not in str(ledger.cursor)


def test_open_visits_are_bounded_and_the_rest_is_told() -> None:
    data = "".join(
        line(minute=number // 60, client=f"10.0.{number // 250}.{number % 250}") for number in range(300)
    ).encode()
    parsed = parse(data, PLAIN | {"visitors_kept": 100})
    assert len(parsed.cursor["visitors"]) == 100
    assert [(one.rule, one.code, one.value) for one in parsed.rejects] == [("AC-01", "visitors_overflow", "200")]


def test_a_clock_that_goes_back_a_little_begins_no_visit() -> None:
    seconds = np.array([1000, 900, 2790, 2700], dtype=np.int64)
    visits = follow_visits(["v"] * 4, seconds, [""] * 4, {}, gap=1800, kept=10)
    assert visits.begins.tolist() == [True, False, False, False]


def test_contacts_per_action_count_every_completed_request() -> None:
    options = PLAIN | {"contact_paths": {"/bill": "billing"}}
    data = "".join([line(0, path="/bill/1"), line(1, path="/bill"), line(2, path="/bill", status=403)]).encode()
    table = parse(data, options, ("contacts", "served_without_agent"), carried=("service_type",)).contributions
    assert table.groupby("measure", observed=True)["value"].sum().to_dict() == {
        "contacts": 2,
        "served_without_agent": 2,
    }


@pytest.mark.parametrize(
    ("request_line", "path"),
    [
        ("GET /a?b=/c HTTP/1.1", "/a"),
        ("GET /a", ""),
        ("-", ""),
        ("", ""),
        ("GET  /a HTTP/1.1", ""),
        ("OPTIONS * HTTP/1.0", "*"),
    ],
)
def test_only_a_request_has_a_path(request_line: str, path: str) -> None:
    assert path_of(request_line) == path


def test_a_prefix_ends_at_a_segment() -> None:
    assert is_under("/bill", "/bill")
    assert is_under("/bill/x", "/bill")
    assert is_under("/x", "/")
    assert not is_under("/billing", "/bill")


def test_times_carry_their_offset() -> None:
    assert seconds_of("21/Nov/2026:08:00:00 +0800") == seconds_of("20/Nov/2026:19:00:00 -0500") == 1795219200
    assert [seconds_of(text) for text in ("21/Foo/2026:08:00:00 +0800", "21/Nov/2026:08:00:75 +0800", "")] == [0, 0, 0]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "line", ['"' * 60_000, "\\" * 60_000, "a [b] " + '"\\"' * 20_000, "a" + " [" * 30_000, " " * 60_000]
)
def test_no_line_keeps_the_pattern_busy(line: str) -> None:
    extra = Options.model_validate(PLAIN | {"extra_fields": ["x", "y"]})
    for options in (Options.model_validate(PLAIN), extra):
        assert line_pattern(options).fullmatch(line) is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=120), st.sampled_from([line(0).encode(), line(1, status=500).encode()])),
        max_size=8,
    )
)
def test_no_content_breaks_the_collector_and_every_line_is_accounted_for(pieces: list[bytes]) -> None:
    parsed = parse(b"\n".join(pieces), PLAIN)
    requests = parsed.contributions[parsed.contributions["measure"] == "web_requests"]
    assert parsed.read == len(requests) + len(parsed.rejects) + sum(parsed.excluded.values())


needs_log = pytest.mark.skipif(not LOG.exists(), reason=f"the real access log is not on this machine: {LOG}")


@needs_log
def test_a_real_log_agrees_with_an_independent_count(tmp_path: Path) -> None:
    """Counted here by splitting at quotes and spaces, which shares nothing with the collector's pattern."""
    statuses: Counter[str] = Counter()
    last: dict[tuple[str, str], float] = {}
    visits = 0
    for text in LOG.read_text(encoding="latin-1").splitlines():
        address, rest = text.split(" ", 1)
        statuses[re.split(r'"(?: |$)', rest)[1].split(" ")[0][0]] += 1
        moment = datetime.strptime(rest[rest.index("[") + 1 : rest.index("]")], "%d/%b/%Y:%H:%M:%S %z").timestamp()
        who = (address, text.rstrip('"').rsplit('"', 1)[1])
        visits += who not in last or moment - last[who] > 1800
        last[who] = max(moment, last.get(who, 0))
    ledger = read_file(build("access_log", PLAIN, measures=WEB), LOG)
    assert ledger.sums() == {
        "web_requests": sum(statuses.values()),
        "web_client_errors": statuses["4"],
        "web_errors": statuses["5"],
        "web_visits": visits,
    }
    assert (ledger.read, sum(statuses.values()), ledger.rejects) == (10_000, 10_000, [])


@needs_log
def test_a_real_log_replayed_packed_or_in_pieces_changes_nothing(tmp_path: Path) -> None:
    collector = build("access_log", PLAIN, measures=WEB)
    ledger = read_file(collector, LOG)
    before = dict(ledger.contacts)
    read_file(collector, pack(tmp_path / "other.gz", LOG.read_bytes()), ledger)
    read_file(with_tail(collector, chunk=100_000), LOG, ledger)
    assert ledger.contacts == before
