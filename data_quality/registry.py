"""The register of rules: a new rule is one function with `@rule` and its examples.

What lies on no grid, because it was never counted, has rules too: `@recorded_rule`, and whoever meets it asks them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from data_quality.evidence import Evidence
from data_quality.grid.grid import AuditGrid, Label
from metrics.findings import Finding

Counts = npt.NDArray[np.integer[Any]] | npt.NDArray[np.bool_]
Mask = npt.NDArray[np.bool_]
Row = Mapping[str, str | float | int | None]


class Dimension(StrEnum):
    """The four dimensions of doubt; the prefix of a rule's id says which."""

    COMPLETENESS = "completeness"
    ACCURACY = "accuracy"
    TIMELINESS = "timeliness"
    AUTHENTICITY = "authenticity"


class Stage(StrEnum):
    """The order of the audit: what has failed at one stage is not judged again at a later one."""

    ARRIVAL = "arrival"
    SCHEMA = "schema"
    KEY = "key"
    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    IDENTITY = "identity"
    BALANCE = "balance"
    CROSS_SOURCE = "cross_source"
    FLUCTUATION = "fluctuation"
    AUTHENTICITY = "authenticity"


class Records(StrEnum):
    """What a rule has to do with the records that collectors read."""

    NEVER = "never"
    """No record is refused under it."""
    REFUSED = "refused"
    """A record may be refused under it; the audit counts each as a unit that failed."""
    JUDGED = "judged"
    """Every record is put to it before it is counted: the audit counts those read, and those refused as failed."""


@dataclass(frozen=True)
class Verdict:
    """What a rule saw: arrays (label, region, interval); of what has no place the region axis is 1."""

    labels: tuple[Label, ...]
    judged: Counts
    """Units looked at in each cell, blocked ones included."""
    bad: Counts
    """Those that are not as they should be."""
    blocked: Mask | None = None
    """Where the input has failed at an earlier stage, so that nothing can be said."""
    spoils: Mask | None = None
    """Cells (line, region or 1, interval) that later stages cannot judge because of what is bad here."""
    allowed: float | npt.NDArray[np.float64] = 0.0
    """Share of bad units that still passes, for all or by label."""
    shown: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    """Figures shown beside a bad cell; they broadcast to the shape of `bad`."""
    facts: Mapping[str, str | float | int] = field(default_factory=dict)
    """Facts of the whole verdict that its sentences name."""
    placeless: bool = False
    """Whether it is about something that has no place: a grid, too, may hold one region only."""


@dataclass(frozen=True)
class Sight:
    """What one rule sees: the channels of one rhythm on one grid."""

    rule: str
    evidence: Evidence
    grid: AuditGrid
    spoiled: Mask
    """Cells (line, region, interval) that failed at an earlier stage."""

    def limit(self, name: str) -> float:
        """A constant of the rule, as `rules.yaml` has it."""
        return self.evidence.limit(self.rule, name)

    @property
    def nothing(self) -> Mask:
        """A mask of the grid's shape in which nothing is set."""
        return np.zeros(self.grid.shape, np.bool_)


Check = Callable[[Sight], Iterable[Verdict]]


@dataclass(frozen=True)
class Rule:
    """One thing that should be true."""

    id: str
    dimension: Dimension
    stage: Stage
    hard: bool
    """Hard: what fails must be corrected. Otherwise it may stand with an explanation (QUERY)."""
    limits: tuple[str, ...]
    """The constants it reads from `rules.yaml`."""
    records: Records
    """Whether records are refused under it; the audit adds what became of them to what `check` says."""
    check: Check

    @property
    def name(self) -> str:
        """What should be true, in code."""
        return self.check.__name__


@dataclass(frozen=True)
class RecordedRule:
    """One thing that should be true of what lies on no grid; not the audit asks it, but whoever meets such a thing."""

    id: str
    dimension: Dimension
    hard: bool
    check: Callable[..., Finding]
    """Takes what is known of one subject and says what is to be recorded of it."""

    @property
    def name(self) -> str:
        """What should be true, in code."""
        return self.check.__name__


RULES: dict[str, Rule] = {}
RECORDED: dict[str, RecordedRule] = {}
Recorded = TypeVar("Recorded", bound=Callable[..., Finding])


def rule(
    id: str,
    *,
    dimension: Dimension,
    stage: Stage,
    hard: bool = True,
    limits: tuple[str, ...] = (),
    records: Records = Records.NEVER,
) -> Callable[[Check], Check]:
    """Register a function that is named by what should be true and says where it is not."""

    def register(check: Check) -> Check:
        _refuse_second(id, check.__name__)
        RULES[id] = Rule(id, dimension, stage, hard, limits, records, check)
        return check

    return register


def recorded_rule(id: str, *, dimension: Dimension, hard: bool = True) -> Callable[[Recorded], Recorded]:
    """Register a function that is named by what should be true of one subject and says whether it is."""

    def register(check: Recorded) -> Recorded:
        _refuse_second(id, check.__name__)
        RECORDED[id] = RecordedRule(id, dimension, hard, check)
        return check

    return register


def _refuse_second(id: str, name: str) -> None:
    if known := RULES.get(id) or RECORDED.get(id):
        raise ValueError(f"rule {id} is registered twice: {known.name} and {name}")


def every_rule() -> tuple[Rule | RecordedRule, ...]:
    """All rules: those of the audit in its order, then those that are recorded."""
    return (*in_order(), *RECORDED.values())


def refusing() -> frozenset[str]:
    """Ids of the rules under which a record may be refused, so that it stands in no figure."""
    return frozenset(name for name, rule in RULES.items() if rule.records is not Records.NEVER)


def in_order() -> tuple[Rule, ...]:
    """The rules of the audit by stage, then as they stand in their module."""
    stages = list(Stage)
    return tuple(sorted(RULES.values(), key=lambda one: stages.index(one.stage)))
