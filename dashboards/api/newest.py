"""What is so now, as lists off the newest snapshot: readings, findings and sources.

What a viewer of a province gets is what lies in it. A finding about a channel as a whole is the nation's; a source is
everybody's to know, as its state stands on every window.
"""

import json
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.actions import Action
from config.catalogue import NATION, Catalogue
from dashboards.api.parameters import OfFindings, OfReadings, OfSources, check_known
from dashboards.api.resources import Found, Resource, Sight
from dashboards.api.tables import columns
from dashboards.views import LANGUAGES
from metrics.findings import CheckState, Finding
from wording.sentences import SentenceWriter
from wording.words import Words

READINGS = columns(
    "metric window region channel state trust reason", number="value numerator denominator n previous", time="at"
)
FINDINGS = columns(
    "rule severity state channel source region measure sentence_zh sentence_en facts",
    integer="bad expected",
    time="since last_seen",
)
SOURCES = columns(
    "channel source kind state error", number="lag_s", boolean="simulated", time="last_success covered_until since"
)
TOGETHER = ""
"""The channel of a figure that is of all of them together."""


LIVE = {
    "generation": {"type": "integer"},
    "at": {"type": "string", "format": "date-time"},
    "simulated": {"type": "boolean"},
}
"""What lists off the snapshot say besides their rows."""


def _found(sight: Sight, frame: pd.DataFrame) -> Found:
    snapshot = sight.snapshot
    about = {"generation": snapshot.generation, "at": snapshot.at.isoformat(), "simulated": snapshot.simulated}
    return Found(frame, about)


def _readings(sight: Sight, asked: OfReadings) -> Found:
    catalogue = sight.catalogue
    check_known("metric", asked.metric, [*catalogue.metrics, *catalogue.sketches])
    check_known("channel", asked.channel, [*catalogue.channels, TOGETHER])
    frame = sight.snapshot.readings
    rows = _among(frame["region"], sight.places(asked.level))
    for name in ("metric", "window", "channel"):
        if getattr(asked, name):
            rows = rows & _among(frame[name], getattr(asked, name))
    return _found(sight, frame[rows])


def _findings(sight: Sight, asked: OfFindings) -> Found:
    catalogue = sight.catalogue
    check_known("channel", asked.channel, catalogue.channels)
    check_known("rule", asked.rule, catalogue.rules.rules)
    places = {*sight.places(asked.level), *([""] if sight.scope == NATION and asked.level in ("", "nation") else [])}
    frame = sight.snapshot.findings
    rows = _among(frame["region"], places)
    for name in ("channel", "rule"):
        if getattr(asked, name):
            rows = rows & _among(frame[name], getattr(asked, name))
    chosen = frame[rows]
    found = list(_told(chosen))
    sentences = {f"sentence_{language}": _sentences(found, catalogue, language) for language in LANGUAGES}
    return _found(sight, chosen.assign(**sentences))


def _told(frame: pd.DataFrame) -> Iterator[Finding]:
    for row in frame.itertuples():
        since: datetime | None = None if pd.isna(row.since) else row.since.to_pydatetime()
        yield Finding(
            row.rule, CheckState(row.state), row.channel, row.source, row.region, row.measure,
            start=since, bad=int(row.bad), expected=int(row.expected), facts=json.loads(row.facts or "{}"),
        )  # fmt: skip


def _sentences(found: list[Finding], catalogue: Catalogue, language: Any) -> list[str]:
    writer, words = SentenceWriter(catalogue, language), Words(catalogue, language)
    return [_sentence(finding, writer, words) for finding in found]


def _sentence(finding: Finding, writer: SentenceWriter, words: Words) -> str:
    """What a finding says; only its rule's name where a fact that the sentence needs was not kept."""
    try:
        return writer.say(finding)
    except KeyError:
        return words.told(f"rule.{finding.rule}")


def _sources(sight: Sight, asked: OfSources) -> Found:
    check_known("channel", asked.channel, sight.catalogue.channels)
    frame = sight.snapshot.sources
    return _found(sight, frame[_among(frame["channel"], asked.channel)] if asked.channel else frame)


def _among(column: "pd.Series[Any]", wanted: Collection[str]) -> npt.NDArray[np.bool_]:
    return np.asarray(column.isin(wanted), dtype=np.bool_)


RESOURCES = (
    Resource(
        "readings", Action.SEE_READINGS, OfReadings, READINGS, ("metric", "window", "region", "channel"), _readings,
        True, LIVE,
    ),
    Resource(
        "findings", Action.SEE_FINDINGS, OfFindings, FINDINGS, ("rule", "channel", "source", "region", "measure"),
        _findings, True, LIVE,
    ),
    Resource("sources", Action.SEE_SOURCES, OfSources, SOURCES, ("channel", "source"), _sources, True, LIVE),
)  # fmt: skip
