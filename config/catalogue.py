"""The nouns of the catalogue: every thing that configuration can name, frozen and strict.

An unknown key is an error everywhere (`extra="forbid"`), so a typing mistake stops the start
instead of switching something off in silence. `config/loading.py` reads the files into these.
"""

from datetime import date, time
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from config.actions import Action
from config.formula import linear_terms

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
NATION = "100000"
"""Code of the nation, whichever it is: the region that all others lie in."""
PRODUCT_MAPS = Path(__file__).resolve().parent.parent / "assets" / "geo"


def _linear(expression: str) -> str:
    """Refuse an expression that is not linear over measures."""
    linear_terms(expression)
    return expression


Expression = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_linear)]


def _known_zone(zone: str) -> str:
    """Refuse a zone that the time zone database does not have."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("unknown time zone; use a name such as Asia/Shanghai") from None
    return zone


Zone = Annotated[str, AfterValidator(_known_zone)]


class Noun(BaseModel):
    """A strict, immutable piece of configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Noun):
    """One phrase in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Kind(StrEnum):
    """How a measure adds up: sums everywhere; sums over places at one instant; takes the largest."""

    ADDITIVE = "additive"
    LEVEL = "level"
    PEAK = "peak"


class Measure(Noun):
    """A number that a source can count: additive, a level or a peak; never a ratio."""

    id: Identifier
    name: Text
    meaning: Text | None = None
    """What is counted, in a sentence."""
    kind: Kind
    unit: Literal["n", "s"]
    over_time: Literal["last", "mean", "max"] = "last"
    """For levels: what stands for an interval longer than the source's own."""
    minimum: float = 0.0
    maximum: float | None = None
    """Largest value that one region can truthfully report for one interval (AC-01)."""


class Level(StrEnum):
    """The four levels of places, from coarse to fine."""

    NATION = "nation"
    PROVINCE = "province"
    CITY = "city"
    CENTRE = "centre"

    @cached_property
    def rank(self) -> int:
        """0 is the nation; the finer a level the higher its rank."""
        return list(Level).index(self)


class Region(Noun):
    """A place: nation > province > city > seat centre. Codes are GB/T 2260 adcodes; centres are `C-…`."""

    code: str
    parent: str | None = None
    level: Level
    kind: str
    name: Text
    short: Text
    lon: float | None = None
    lat: float | None = None
    population: int | None = None
    served: bool = True
    """False for places the operator has no customer service in: drawn, never counted or expected."""
    serves: tuple[str, ...] = ()
    """Centres only: the cities or provinces whose customers this centre answers."""
    seats_built: int | None = None


class DataRule(Noun):
    """Element three of a definition: where the figures come from and when they are due."""

    source: Text
    collection: Literal["automatic", "manual"]
    frequency_s: int = Field(gt=0)
    deadline_s: int = Field(gt=0)
    """Seconds after the end of an interval by which its figure is due."""
    lateness_allowed_s: int = Field(ge=0)
    dimensions: tuple[str, ...] = ()
    minimum_n: int = Field(ge=0)
    quality_class: Literal["A", "B", "C"] = "B"


class Ownership(Noun):
    """Element four of a definition: who answers for it, which version, valid since when."""

    department: Text
    reviewed_on: date
    version: int = Field(ge=1)
    valid_from: date


class Formula(Noun):
    """Numerator over denominator, each a linear expression over measures; no denominator: the sum itself."""

    numerator: Expression
    denominator: Expression | None = None
    scale: float = Field(default=1.0, gt=0)

    @cached_property
    def numerator_terms(self) -> dict[str, float]:
        """Coefficients of the numerator by measure."""
        return linear_terms(self.numerator)

    @cached_property
    def denominator_terms(self) -> dict[str, float]:
        """Coefficients of the denominator by measure; empty where there is none."""
        return linear_terms(self.denominator) if self.denominator else {}

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that the formula needs, in the order of its text."""
        return tuple(self.numerator_terms | self.denominator_terms)


class Example(Noun):
    """A worked example of a metric: measures in, value out; `value: null` is no value (0/0)."""

    measures: dict[str, float]
    value: float | None
    variant: str | None = None


class Definition(Noun):
    """What every figure that people act on has, however it is worked out: the four elements."""

    id: Identifier
    name: Text
    short: Text
    meaning: Text
    unit: Literal["ratio", "s", "n", "per_10k", "index", "multiple"]
    better: Literal["up", "down", "band", "none"]
    target: float | None = None
    warning: float | None = None
    """Beyond the target and up to here is a warning, beyond here critical."""
    band: tuple[float, float] | None = None
    attribution: Literal["arrival_cohort", "event_time", "instant"]
    data_rule: DataRule
    ownership: Ownership


class Metric(Definition):
    """A figure that is one sum over another."""

    formula: Formula
    variants: dict[str, Formula] = {}
    survey: bool = False
    """A share of those who answered, which stands for all: it is shown with its interval."""
    examples: tuple[Example, ...] = Field(min_length=2)


class SketchExample(Noun):
    """A worked example of a sketch: values (percentile) or people (distinct count) in, figure out."""

    cases: tuple[float, ...] | tuple[str, ...]
    value: float | None


class Sketch(Definition):
    """A figure read off the marks that cases leave in a dimension: a percentile, or how many people came.

    The counts by mark add up over everything; what is read off them does not (decision 0016).
    """

    measure: str
    """The cases, an additive measure that is delivered by `dimension`."""
    dimension: str
    """Bands of a quantity for a percentile, marks of people for a distinct count."""
    share: float | None = Field(default=None, ge=0, le=1)
    """Percentile: the share of cases that lie at or below the value. None: a distinct count."""
    examples: tuple[SketchExample, ...] = Field(min_length=2)


class Delivery(Noun):
    """One measure that a channel's source delivers."""

    measure: str
    grain: Level = Level.CITY
    """Level of the regions that add up; a row at a coarser level is a reported total, kept to compare."""
    dimensions: tuple[str, ...] = ()
    expected: bool = True
    """Whether every region of the grain must appear every interval (CP-02)."""


class Expectation(Noun):
    """Something that should hold for each row of a source; `data_quality/row_rules.py` reads it."""

    rule: str
    column: str
    must: Literal["be_between", "be_one_of", "not_be_one_of", "not_precede", "be_present"]
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()
    other: str | None = None
    """For `not_precede`: the column whose time must not be later than `column`."""
    when: dict[str, tuple[str, ...]] = {}
    """Only rows whose columns hold one of these values are looked at."""
    tolerance: float = 0.0
    say: Text


class Source(Noun):
    """One interface of a channel; `options` belong to the kind and are validated by `collectors/<kind>`."""

    id: Identifier
    kind: Identifier
    poll_s: int = Field(default=60, gt=0)
    delivers: tuple[Delivery, ...] = Field(min_length=1)
    expects: tuple[Expectation, ...] = ()
    options: dict[str, Any] = {}


class Channel(Noun):
    """A way in which customers reach the operator, and the sources that count it."""

    id: Identifier
    name: Text
    short: Text
    zone: Zone = "Asia/Shanghai"
    """Zone of the source's own wall clock."""
    interval_s: int = Field(default=60, gt=0)
    settle_s: int = Field(default=120, ge=0)
    """Seconds after an interval's end until most of its contacts have ended."""
    capabilities: tuple[str, ...] = ()
    colour: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")] = "#7f8ea3"
    order: int = 100
    sources: tuple[Source, ...] = Field(min_length=1)
    dimensions: dict[str, tuple[str, ...]] = {}
    """Closed code sets by dimension (AC-02); a dimension not named here is open."""


class RuleSetting(Noun):
    """The constants of one audit rule."""

    severity: Literal["blocker", "major", "minor"]
    limits: dict[str, float] = {}


class RuleBook(Noun):
    """`rules.yaml`: version, severities, limits, and the constants of trust and score."""

    version: str
    rules: dict[str, RuleSetting]
    trust: dict[str, float]
    score: dict[str, float]


class DayPlan(Noun):
    """The reporting day."""

    zone: Zone = "Asia/Shanghai"
    starts: time = time(0, 0)


class Role(Noun):
    """What an account or a token may do inside its region, and of which regions it can be."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,31}$")]
    name: Text
    levels: tuple[Literal["nation", "province"], ...] = Field(min_length=1)
    may: frozenset[Action]


class Catalogue(Noun):
    """Everything that exists, keyed by id and checked across files."""

    day: DayPlan = DayPlan()
    measures: dict[str, Measure]
    metrics: dict[str, Metric]
    sketches: dict[str, Sketch] = {}
    channels: dict[str, Channel]
    regions: dict[str, Region]
    dimensions: dict[str, Text]
    codes: dict[str, dict[str, Text]]
    """Names of dimension values: codes[dimension][value]."""
    accuracies: dict[str, float] = {}
    """Dimensions whose values are bands of a quantity: how far, as a share of it, a band may lie from a value."""
    rules: RuleBook
    roles: dict[str, Role] = {}
    """Who may do what; without roles nobody may do anything."""
    words: dict[str, Text]
    maps: Path = PRODUCT_MAPS
    """Folder of the built maps; a place whose map is not there is shown without one."""

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """Direct children of every region that has any, in the order of the file."""
        found: dict[str, list[str]] = {}
        for region in self.regions.values():
            if region.parent is not None:
                found.setdefault(region.parent, []).append(region.code)
        return {code: tuple(codes) for code, codes in found.items()}

    def below(self, code: str) -> tuple[str, ...]:
        """The region itself and everything under it."""
        found = [code]
        for child in self.children.get(code, ()):
            found.extend(self.below(child))
        return tuple(found)

    def ancestor(self, code: str, level: Level) -> str | None:
        """The region at `level` that holds `code` (itself included), or None."""
        at: str | None = code
        while at is not None:
            region = self.regions[at]
            if region.level is level:
                return at
            at = region.parent
        return None

    def lies_in(self, code: str, region: str) -> bool:
        """Whether a region is `region` or lies below it; False for a code that is unknown."""
        at: str | None = code
        while at is not None and at in self.regions:
            if at == region:
                return True
            at = self.regions[at].parent
        return False

    def at_level(self, level: Level, within: str = NATION) -> tuple[str, ...]:
        """Codes of the served regions of one level inside a region."""
        return tuple(
            code for code in self.below(within) if self.regions[code].level is level and self.regions[code].served
        )

    def delivery(self, channel: str, measure: str) -> Delivery | None:
        """How a channel delivers a measure, or None if it does not."""
        for source in self.channels[channel].sources:
            for delivery in source.delivers:
                if delivery.measure == measure:
                    return delivery
        return None
