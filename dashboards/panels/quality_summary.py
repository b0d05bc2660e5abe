"""The head of the quality window: can the figures be relied on, said in five numbers."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from dash import html

from config.catalogue import NATION
from dashboards.panels.elements import part
from dashboards.panels.score_map import RATED
from dashboards.view_readings import known
from dashboards.window import Context, Needs, PanelData, Parts, Right
from data_quality.registry import refusing
from metrics.readings import FINDINGS, SCORES, SOURCES
from wording.words import DASH, Words

COUNTS = ("sound", "stale", "absent", "findings", "kept_aside")


@dataclass(frozen=True)
class QualitySummary:
    """The nation's score, and counts of sources, findings and records kept aside."""

    def needs(self, context: Context) -> Needs:
        """What is known of the data, no figure."""
        return Needs(frames=(SOURCES.name, FINDINGS.name, SCORES.name))

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """A large tile for the score, a small one a count."""
        words = context.words
        value, coverage = html.Div(part("value"), className="figure"), html.P(part("coverage"), className="about")
        heading = html.H3(words("summary.score"))
        score = html.Article([heading, value, coverage], id="summary-score", className="tile tile-lead")
        tiles = [score, *(_count_tile(name, words) for name in COUNTS)]
        return [html.Section(html.Div(tiles, className="tiles tiles-summary"), className="tile-row")]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """The score and the counts."""
        words = context.words
        return {"summary-score": _score_parts(data.frames[SCORES.name], words)} | {
            f"summary-{name}": {".value": str(words.count(count)), "@data-state": _state(name, count)}
            for name, count in _counts(data.frames).items()
        }


def _count_tile(name: str, words: Words) -> html.Article:
    return html.Article(
        [
            html.H3(words(f"summary.{name}")),
            html.Div(part("value"), className="figure"),
            html.P(words(f"summary.{name}_why"), className="about"),
        ],
        id=f"summary-{name}",
        className="tile",
    )


def _score_parts(scores: pd.DataFrame, words: Words) -> dict[str, Any]:
    """The nation's score; one that rests on less than 95 % of the checks is not rated."""
    of_nation = scores[(scores["kind"] == "nation") & (scores["key"] == NATION)]
    nation = of_nation[of_nation["dimension"] == "total"]
    if nation.empty:
        return {".value": DASH, ".coverage": ""}
    score, coverage = known(float(nation["score"].iloc[0])), float(nation["coverage"].iloc[0])
    rated = score is not None and coverage >= RATED
    return {
        ".value": words.score(score) if rated and score is not None else words("score.not_rated"),
        ".coverage": _coverage(coverage, of_nation, words),
    }


def _coverage(coverage: float, of_nation: pd.DataFrame, words: Words) -> str:
    """How many of the checks ran, and which dimensions have none."""
    covered = words("score.coverage", coverage=words.share(coverage))
    without = [words(f"score.{name}") for name in of_nation.loc[of_nation["coverage"].isna(), "dimension"]]
    names = words("sentence.and").join(without)
    return words("score.without", coverage=covered, dimensions=names) if without else covered


def kept_aside(findings: pd.DataFrame) -> int:
    """Records that were refused, so that they stand in no figure, of findings that are open.

    Under the same rules stored figures may be found wrong; only what is refused has a code that says why.
    """
    refused = findings[findings["rule"].isin(refusing())]
    coded = [bool(json.loads(facts or "{}").get("code")) for facts in refused["facts"]]
    return int(refused["bad"].to_numpy()[coded].sum())


def _counts(frames: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    states, findings = frames[SOURCES.name]["state"].tolist(), frames[FINDINGS.name]
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
