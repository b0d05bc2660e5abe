"""A ready-made http_json collector over the test's own server, and short ways to use it."""

from typing import Any

import pytest

from collectors import Ask, Collector
from metrics.observations import Parsed, SourceFault
from tests.support.json_interface import Interface, Reply, say
from tests.support.record_sources import ask, collector

HOUR = ("2026-11-20T10:00:00+08:00", "2026-11-20T11:00:00+08:00")
MAP = {
    "time": {"field": "t", "form": "epoch_s"},
    "region": {"constant": "100000"},
    "measures": {"contacts": {"field": "n"}},
}
QUICK = {"connect_s": 1, "read_s": 0.4, "total_s": 3, "wait_s": 0.01, "calls_per_minute": 6000}


def source(server: Interface, request: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    one = {"id": "rows", "path": "/rows", "records": "list[*]", "map": MAP} | (request or {})
    limits = QUICK | options.pop("limits", {})
    told = {"base_url": server.url, "requests": [one], "limits": limits} | options
    return {
        "id": "rows",
        "kind": "http_json",
        "delivers": [{"measure": "contacts", "grain": "nation"}],
        "options": told,
    }


def reader(server: Interface, request: dict[str, Any] | None = None, **options: Any) -> Collector:
    return collector(source(server, request, **options), interval_s=3600)


def taken(built: Collector, wanted: Ask | None = None) -> Parsed:
    return built.parse(built.fetch(wanted or ask(*HOUR)))


def fault(built: Collector, wanted: Ask | None = None) -> SourceFault:
    with pytest.raises(SourceFault) as caught:
        built.fetch(wanted or ask(*HOUR))
    return caught.value


def one(n: int = 7, hour: str = HOUR[0]) -> Reply:
    return say({"list": [{"t": int(ask(hour, hour).now.timestamp()), "n": n}]})
