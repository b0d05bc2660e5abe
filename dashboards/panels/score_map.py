"""Scores as a heat map: a row a source or a province, a column a dimension of quality.

It is a table: its cells say their score in digits, and a score that rests on too little is hatched and says that it
is not rated, because colour alone tells nobody anything.
"""

from collections.abc import Collection
from dataclasses import dataclass
from math import isnan
from typing import Any, Literal

from dash import html

from config.catalogue import Level
from dashboards.panels.elements import part, section
from dashboards.panels.source_names import source_names
from dashboards.view_readings import known
from dashboards.window import Context, Needs, PanelData, Parts, Right
from metrics.readings import SCORES
from wording.words import Words

DIMENSIONS = ("total", "completeness", "accuracy", "timeliness", "authenticity")
RATED = 0.95
"""Coverage below which a score is not rated."""
BANDS = ((95.0, "1"), (85.0, "2"), (70.0, "3"))
"""Least score of each band in which scores are shown, from excellent on; what is lower is poor, band 4."""


@dataclass(frozen=True)
class ScoreMap:
    """The scores of one kind of thing."""

    kind: Literal["source", "province"]

    def needs(self, context: Context) -> Needs:
        """The scores."""
        return Needs(frames=(SCORES.name,))

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """A row a source or province with its name."""
        words = context.words
        heads = [html.Th("", scope="col")]
        heads += [html.Th(words(f"score.{dimension}"), scope="col") for dimension in DIMENSIONS]
        rows = [
            html.Tr(
                [html.Th(name, scope="row"), *(part(dimension, html.Td) for dimension in DIMENSIONS)],
                id=self._id(key),
            )
            for key, name in self._rows(context).items()
        ]
        body = [html.Thead(html.Tr(heads)), html.Tbody(rows)]
        title = words("heat.source") if self.kind == "source" else words("heat.province")
        return [section(f"heat-{self.kind}", title, html.Table(body, className=f"table heat heat-{self.kind}"))]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """Score of every cell, with its coverage where it is not rated."""
        scores, rows = data.frames[SCORES.name], self._rows(context)
        held = scores[(scores["kind"] == self.kind) & scores["key"].isin(list(rows))]
        cells = {
            (key, dimension): (known(score), coverage)
            for key, dimension, score, coverage in zip(
                *(held[name].tolist() for name in ("key", "dimension", "score", "coverage")), strict=True
            )
        }
        parts: dict[str, dict[str, Any]] = {}
        for key in rows:
            shown: dict[str, Any] = {}
            for dimension in DIMENSIONS:
                shown |= _cell(dimension, *cells.get((key, dimension), (None, 0.0)), context.words)
            parts[self._id(key)] = shown
        return parts

    def _id(self, key: str) -> str:
        return f"score-{self.kind}-{key}"

    def _rows(self, context: Context) -> dict[str, str]:
        """What has scores, with its name."""
        if self.kind == "source":
            return source_names(context.catalogue, context.words)
        return {code: context.words.name(code) for code in context.catalogue.at_level(Level.PROVINCE)}


def _cell(dimension: str, score: float | None, coverage: float, words: Words) -> dict[str, Any]:
    if isnan(coverage):
        return {
            f".{dimension}": words("score.no_rules"),
            f".{dimension}@data-band": "none",
            f".{dimension}@title": words("score.no_rules_why"),
        }
    rated = score is not None and coverage >= RATED
    return {
        f".{dimension}": words.score(score) if rated and score is not None else words("score.not_rated"),
        f".{dimension}@data-band": _band(score or 0.0) if rated else "none",
        f".{dimension}@title": words("score.coverage", coverage=words.share(coverage)),
    }


def _band(score: float) -> str:
    return next((band for least, band in BANDS if score >= least), "4")
