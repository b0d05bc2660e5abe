"""The head of the quality window: can the figures be relied on, said in five numbers."""

import json
from typing import Any

import pandas as pd
from dash import html

from config.catalogue import NATION
from dashboards.panels.elements import part
from dashboards.panels.quality_tables import RATED
from dashboards.panels.view_readings import known
from data_quality.registry import refusing
from metrics.readings import Snapshot
from wording.words import DASH, Words

COUNTS = ("sound", "stale", "absent", "findings", "kept_aside")


def summary(words: Words) -> html.Section:
    """The nation's score, and counts of sources, findings and records kept aside."""
    score = html.Article(
        [
            html.H3(words("summary.score")),
            html.Div(part("value"), className="figure"),
            html.P(part("coverage"), className="about"),
        ],
        id="summary-score",
        className="tile tile-lead",
    )
    counts = [
        html.Article(
            [
                html.H3(words(f"summary.{name}")),
                html.Div(part("value"), className="figure"),
                html.P(words(f"summary.{name}_why"), className="about"),
            ],
            id=f"summary-{name}",
            className="tile",
        )
        for name in COUNTS
    ]
    return html.Section(html.Div([score, *counts], className="tiles tiles-summary"), className="tile-row")


def _coverage(coverage: float, of_nation: pd.DataFrame, words: Words) -> str:
    """How many of the checks ran, and which dimensions have none."""
    told = words("score.coverage", coverage=words.share(coverage))
    without = [words(f"score.{name}") for name in of_nation.loc[of_nation["coverage"].isna(), "dimension"]]
    return words("score.without", coverage=told, dimensions=words("sentence.and").join(without)) if without else told


def summary_parts(snapshot: Snapshot, words: Words) -> dict[str, dict[str, Any]]:
    """What the head shows; a score that rests on less than 95 % of the checks is not rated."""
    scores = snapshot.scores
    of_nation = scores[(scores["kind"] == "nation") & (scores["key"] == NATION)]
    nation = of_nation[of_nation["dimension"] == "total"]
    score = known(float(nation["score"].iloc[0])) if len(nation) else None
    coverage = float(nation["coverage"].iloc[0]) if len(nation) else 0.0
    rated = score is not None and coverage >= RATED
    value = words.score(score) if rated and score is not None else words("score.not_rated") if len(nation) else DASH
    head = {
        ".value": value,
        ".coverage": _coverage(coverage, of_nation, words) if len(nation) else "",
    }
    return {"summary-score": head} | {
        f"summary-{name}": {".value": str(words.count(count)), "@data-state": _state(name, count)}
        for name, count in _counts(snapshot).items()
    }


def kept_aside(findings: pd.DataFrame) -> int:
    """Records that were refused, so that they stand in no figure, of findings that are open.

    Under the same rules stored figures may be found wrong; only what is refused has a code that says why.
    """
    refused = findings[findings["rule"].isin(refusing())]
    coded = [bool(json.loads(facts or "{}").get("code")) for facts in refused["facts"]]
    return int(refused["bad"].to_numpy()[coded].sum())


def _counts(snapshot: Snapshot) -> dict[str, int]:
    states = snapshot.sources["state"].tolist()
    findings = snapshot.findings
    return {
        "sound": states.count("sound"),
        "stale": states.count("stale") + states.count("doubtful"),
        "absent": states.count("absent"),
        "findings": len(findings),
        "kept_aside": kept_aside(findings),
    }


def _state(name: str, count: int) -> str:
    """Colour of a count: sources that are well are good news, anything else is not, unless there is none."""
    if name == "sound":
        return "good" if count else "no_value"
    return "good" if count == 0 else "critical" if name == "absent" else "warning"
