"""Scores of the nation, the provinces and the sources in four dimensions, 0-100, from the findings of an audit.

1. q of a metric = 1 - bad / judged units, over every check on its measures; metrics weigh by class, not by volume.
2. A dimension = weighted mean of q, less points for each root issue (one a province and source), capped by severity.
3. Coverage of a check = judged / (judged + blocked); a check that could not run covers nothing. Below 95 % a
   dimension is not rated: NaN.
4. Total = weighted mean of the rated dimensions; its coverage is that of all dimensions that have rules.

A dimension without any rule has neither score nor coverage (NaN): there is no check that could have run, so none was
lost, and the windows say that it has no rules (decision 0009). Its first rule makes it count.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

import data_quality.rules  # noqa: F401  (registers the rules)
from config.catalogue import Catalogue, Level
from data_quality.lineage import metrics_by_measure
from data_quality.registry import RULES, Dimension
from metrics.findings import CheckState, Finding
from metrics.readings import SCORES

DIMENSIONS = tuple(Dimension)
SEVERITIES = ("blocker", "major", "minor")
PREFIXES = {
    "CP": Dimension.COMPLETENESS,
    "TY": Dimension.ACCURACY,
    "AC": Dimension.ACCURACY,
    "TM": Dimension.TIMELINESS,
    "AU": Dimension.AUTHENTICITY,
}
TINY = 1e-12
Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def scores(findings: Iterable[Finding], catalogue: Catalogue) -> pd.DataFrame:
    """Scores and coverage (0-1), as SCORES says; a source's key is `channel/source`."""
    checks = spread(findings, catalogue)
    rows: list[tuple[str, str, str, float, float]] = []
    for key in catalogue.at_level(Level.NATION):
        rows.extend(("nation", key, *line) for line in checks.score(np.ones(len(checks.bad))))
    for key in catalogue.at_level(Level.PROVINCE):
        rows.extend(("province", key, *line) for line in checks.score(checks.part_of(key)))
    for channel in catalogue.channels.values():
        for key in (f"{channel.id}/{source.id}" for source in channel.sources):
            rows.extend(("source", key, *line) for line in checks.score((checks.source == key).astype(np.float64)))
    return pd.DataFrame(rows, columns=SCORES.columns)


def spread(findings: Iterable[Finding], catalogue: Catalogue) -> "Checks":
    """Spread findings over the metrics that stand on what they are about."""
    subjects = Subjects(catalogue)
    lines = [line for finding in findings for line in subjects.lines(finding)]
    numbers: dict[tuple[str, str, str], int] = {}
    check = [numbers.setdefault((line.rule, line.source, line.measure), len(numbers)) for line in lines]
    return Checks(
        catalogue,
        np.array([line.metric for line in lines], np.int64),
        np.array([line.dimension for line in lines], np.int64),
        np.array(check, np.int64),
        np.array([line.source for line in lines], dtype=object),
        np.array([line.region for line in lines], dtype=object),
        np.array([line.severity for line in lines], np.int64),
        *(
            np.array([getattr(line, name) for line in lines], np.float64)
            for name in ("bad", "judged", "missed", "groups")
        ),
    )


@dataclass(frozen=True)
class Line:
    """What one finding says of one metric."""

    metric: int
    dimension: int
    rule: str
    source: str
    measure: str
    region: str
    severity: int
    """Place in SEVERITIES, -1 where nothing failed."""
    bad: float
    judged: float
    missed: float
    """Units that should have been judged and were not."""
    groups: int
    """Provinces that share the units."""


class Subjects:
    """Which metrics stand on what a finding is about."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue, self.on = catalogue, metrics_by_measure(catalogue)
        self.index = {metric: at for at, metric in enumerate(catalogue.metrics)}

    def lines(self, finding: Finding) -> Iterator[Line]:
        """The finding's lines; nothing for what is not applicable."""
        dimension = PREFIXES.get(finding.rule[:2])
        if dimension is None or finding.state is CheckState.NA or finding.channel not in self.catalogue.channels:
            return
        measures = self._measures(finding)
        lost = finding.state in (CheckState.BLOCKED, CheckState.ERROR)
        expected = max(finding.expected, 1 if finding.state is CheckState.ERROR else 0) / len(measures)
        missed = expected if lost else float(finding.facts.get("blocked", 0)) / len(measures)
        for measure, metrics in measures.items():
            for metric in metrics:
                yield Line(
                    self.index[metric],
                    DIMENSIONS.index(dimension),
                    finding.rule,
                    f"{finding.channel}/{finding.source}",
                    measure,
                    finding.region,
                    self._severity(finding),
                    0.0 if lost else finding.bad / len(measures),
                    0.0 if lost else expected,
                    missed,
                    1 if finding.region else int(finding.facts.get("groups", 1)),
                )

    def _measures(self, finding: Finding) -> dict[str, list[str]]:
        """Metrics by the measures that a finding names; under '' those of its whole source where it names none."""
        sources = self.catalogue.channels[finding.channel].sources
        delivered = [
            one.measure
            for source in sources
            if not finding.source or source.id == finding.source
            for one in source.delivers
        ]
        named = [name for name in str(finding.facts.get("measures") or finding.measure).split(",") if name in delivered]
        if named:
            return {name: [metric.id for metric in self.on.get(name, ())] for name in named}
        return {"": list(dict.fromkeys(metric.id for name in delivered for metric in self.on.get(name, ())))}

    def _severity(self, finding: Finding) -> int:
        if finding.state is not CheckState.FAIL:
            return -1
        setting = self.catalogue.rules.rules.get(finding.rule)
        return SEVERITIES.index(setting.severity if setting is not None else "minor")


@dataclass(frozen=True)
class Checks:
    """Lines as columns."""

    catalogue: Catalogue
    metric: Places
    dimension: Places
    check: Places
    """Number of the (rule, source, measure) that the line belongs to."""
    source: npt.NDArray[np.object_]
    region: npt.NDArray[np.object_]
    severity: Places
    bad: Values
    judged: Values
    missed: Values
    groups: Values

    def part_of(self, province: str) -> Values:
        """How much of each line is a province's: its own wholly; of what is told once for all, one share, unless the
        province has a line of its own for that check."""
        own = self.region == province
        others = (self.region == "") & ~np.isin(self.check, self.check[own & (self.judged + self.missed > 0)])
        return np.where(own, 1.0, np.where(others, 1.0 / self.groups, 0.0))

    def score(self, part: Values) -> Iterator[tuple[str, float, float]]:
        """Dimension, score and coverage of a part of the lines, the total last."""
        constants = self.catalogue.rules.score
        rated, weighed, covered, due = 0.0, 0.0, 0.0, 0.0
        ruled = {rule.dimension for rule in RULES.values()}
        for at, dimension in enumerate(DIMENSIONS):
            if dimension not in ruled:
                yield dimension.value, float("nan"), float("nan")
                continue
            mine = (self.dimension == at) & (part > 0)
            coverage = self._coverage(mine, part)
            score = self._quality(mine, part) if coverage >= constants["coverage_least"] else float("nan")
            weight = constants[f"weight_{dimension.value}"]
            covered, due = covered + weight * coverage, due + weight
            if not np.isnan(score):
                rated, weighed = rated + weight * score, weighed + weight
            yield dimension.value, score, coverage
        yield "total", rated / weighed if weighed else float("nan"), covered / due

    def _quality(self, mine: Mask, part: Values) -> float:
        """Weighted mean of 1 - bad / judged in per cent, less the points of root issues."""
        size = len(self.catalogue.metrics)
        bad, judged = (_summed(mine, self.metric, units * part, size) for units in (self.bad, self.judged))
        weight = self._weights * (judged > 0)
        if not weight.any():
            return float("nan")
        mean = float((weight * (1 - bad / np.maximum(judged, TINY))).sum() / weight.sum())
        return max(0.0, 100.0 * mean - self._points(mine))

    def _points(self, mine: Mask) -> float:
        """Points off: the worst severity of each (province, source) counts once; each severity has its cap."""
        failed = mine & (self.severity >= 0)
        worst: dict[tuple[str, str], int] = {}
        for source, region, severity in zip(
            *(a[failed] for a in (self.source, self.region, self.severity)), strict=True
        ):
            worst[source, region] = min(int(severity), worst.get((source, region), len(SEVERITIES)))
        constants, found = self.catalogue.rules.score, list(worst.values())
        return sum(
            min(found.count(at) * constants[f"{name}_points"], constants[f"{name}_most"])
            for at, name in enumerate(SEVERITIES)
        )

    @cached_property
    def _pairs(self) -> tuple[Places, Places]:
        """The (metric, check) of each line as a number, and the metric of each number."""
        checks = int(self.check.max(initial=0)) + 1
        found, number = np.unique(self.metric * checks + self.check, return_inverse=True)
        return number, found // checks

    @cached_property
    def _weights(self) -> Values:
        """Weight of each metric by its class."""
        constants = self.catalogue.rules.score
        metrics = self.catalogue.metrics.values()
        return np.array([constants[f"class_{metric.data_rule.quality_class.lower()}"] for metric in metrics])

    def _coverage(self, mine: Mask, part: Values) -> float:
        """Weighted mean over metrics of the mean share that each check could judge; 0 without any check."""
        number, metric = self._pairs
        judged, missed = (_summed(mine, number, units * part, len(metric)) for units in (self.judged, self.missed))
        there = judged + missed > 0
        share = np.where(there, judged / np.maximum(judged + missed, TINY), 0.0)
        size = len(self.catalogue.metrics)
        checks, shares = np.bincount(metric, there, size), np.bincount(metric, share, size)
        weight = self._weights * (checks > 0)
        return float((weight * shares / np.maximum(checks, 1)).sum() / weight.sum()) if weight.any() else 0.0


def _summed(mine: Mask, by: Places, values: Values, size: int) -> Values:
    return np.bincount(by[mine], values[mine], size).astype(np.float64)
