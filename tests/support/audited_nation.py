"""A nation's interval as a turn lays it before the audit, with a little of everything that can be wrong with it.

400 cities x 11 channels x 40 measures, one of them by 20 values of a dimension; 2 % came late, 0.5 % are missing, 1 %
are corrections. Each kind of fault sits in places of its own, so that one does not hide another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import NATION, Catalogue, Channel, Level, Measure, Region
from config.loading import load
from data_quality import BATCH_COLUMNS, ROW_CHECK_COLUMNS, Evidence
from data_quality.evidence import empty
from metrics.observations import Interval, encode_dimensions

START = datetime(2026, 3, 2, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOW = START + 45 * MINUTE
PROVINCES, CITIES, MEASURES = 31, 400, 40
PARTS = ("answered", "abandoned", "flowed_out", "waiting")
RATIO = "reported_answer_rate"
SPLIT = "contacts"
"""The measure that the first channel gives by service type."""
FLOOR = ("agents_on_duty", "queue_length")
SERVICES = tuple(f"service_{at}" for at in range(20))
SLOW_POLL_S = 1230
"""A source read so seldom that it can only now be called stale."""
EACH = 12
"""Places of each kind of fault, for every 400 cities."""
LATE, MISSING, CORRECTED = 0.02, 0.005, 0.01
Numbers = npt.NDArray[np.int64]


@cache
def nation(load_factor: int = 1) -> Catalogue:
    """The product's catalogue with as many cities, measures and channels as the reference load has."""
    known = load()
    cities = [f"{11 + at % PROVINCES}{at // PROVINCES + 1:02d}00" for at in range(CITIES * load_factor)]
    places = [(f"{11 + at}0000", NATION, Level.PROVINCE) for at in range(PROVINCES)]
    places += [(code, f"{code[:2]}0000", Level.CITY) for code in sorted(cities)]
    name = known.regions[NATION].name
    regions = {NATION: known.regions[NATION]} | {
        code: Region(code=code, parent=parent, level=level, kind="x", name=name, short=name)
        for code, parent, level in places
    }
    measures = _measures(known)
    channels = {one: _channel(known.channels[one], at, tuple(measures)) for at, one in enumerate(known.channels)}
    return known.model_copy(update={"regions": regions, "measures": measures, "channels": channels})


def _measures(known: Catalogue) -> dict[str, Measure]:
    """Forty measures: those that balance and those of the floor first, then as many of the others."""
    ratio = known.measures["users"].model_copy(update={"id": RATIO, "unit": "ratio", "maximum": None})
    first = ("offered", *PARTS, *FLOOR, SPLIT)
    names = [*first, *(one for one in known.measures if one not in first)][: MEASURES - 1]
    return {RATIO: ratio} | {one: known.measures[one] for one in names}


def _channel(known: Channel, at: int, measures: Sequence[str]) -> Channel:
    """A channel of two sources; the first gives one measure by service type, the sixth is read seldom."""
    split = ["service_type"] if at == 0 else []
    main = [{"measure": one, "dimensions": split if one == SPLIT else []} for one in measures if one not in FLOOR]
    sources = [
        {"id": "main", "kind": "sql", "delivers": main},
        {"id": "floor", "kind": "sql", "delivers": [{"measure": one} for one in FLOOR]}
        | ({"poll_s": SLOW_POLL_S} if at == 5 else {}),
    ]
    given = {"id": known.id, "name": known.name, "short": known.short, "dimensions": {"service_type": SERVICES}}
    return Channel.model_validate(given | {"sources": sources})


@cache
def interval(load_factor: int = 1, seed: int = 1, faults: bool = True) -> Evidence:
    """The evidence of one minute at some multiple of the reference load; without faults all is as it should be."""
    catalogue, sown = nation(load_factor), Sown(nation(load_factor), seed)
    rows = sown.rows()
    if faults:
        rows = sown.spoil(rows)
    return Evidence(
        catalogue, NOW, Interval(START, START + MINUTE), _frame(catalogue, rows), _batches(catalogue, faults),
        _refused(catalogue) if faults else empty(ROW_CHECK_COLUMNS),
        asked_since={(one.id, source.id): START - timedelta(days=1)
                     for one in catalogue.channels.values() for source in one.sources},
        channels=(),
    )  # fmt: skip


def afresh(evidence: Evidence) -> Evidence:
    """The same evidence with nothing worked out yet."""
    return replace(evidence)


class Sown:
    """Rows of codes: places in the catalogue's channels, measures, and regions, and in `DIMENSIONS`."""

    def __init__(self, catalogue: Catalogue, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.measures, self.channels = tuple(catalogue.measures), tuple(catalogue.channels)
        regions = tuple(catalogue.regions)
        self.cities = np.array([regions.index(code) for code in catalogue.at_level(Level.CITY)])
        self.provinces = np.array([regions.index(code) for code in catalogue.at_level(Level.PROVINCE)])
        self.holder = {at: regions.index(catalogue.regions[regions[at]].parent or "") for at in self.cities}
        self.shape = (len(self.channels), len(self.measures), len(self.cities))
        self.pairs = self.random.permutation(self.shape[0] * self.shape[2])
        """Places (channel, city) that no fault has taken yet."""

    def rows(self) -> pd.DataFrame:
        """What a good minute brings: parts, the ratio that the source prints, and some provinces' own totals."""
        values = self.random.poisson(40, self.shape).astype(np.float64)
        at = self.measures.index
        values[:, at("offered")] = values[:, [at(part) for part in PARTS]].sum(axis=1)
        values[:, at(RATIO)] = np.round(values[:, at("answered")] / values[:, at("offered")], 4)
        channel, measure, city = (one.ravel() for one in np.indices(self.shape))
        cube = self._rows(channel, measure, self.cities[city], values.ravel())
        split = cube[(cube["channel"] == 0) & (cube["measure"] == at(SPLIT))]
        split = pd.concat([split.assign(dimension=key, value=split["value"] // 20) for key in range(1, 21)])
        whole = cube.drop(split.index.unique())
        return pd.concat([whole, split, self._totals(whole)], ignore_index=True)

    def _rows(self, channel: Any, measure: Any, region: Any, value: Any) -> pd.DataFrame:
        columns = {"channel": channel, "measure": measure, "region": region, "value": value}
        plain = {"dimension": 0, "reported": False, "begun_s": 0, "received_s": 90, "revision": 1}
        return pd.DataFrame({**columns, **plain})

    def _totals(self, whole: pd.DataFrame) -> pd.DataFrame:
        """What the provinces of the first two channels say that their cities add up to."""
        given = whole[(whole["channel"] < 2) & whole["measure"].isin([self.measures.index("offered")])]
        province = given["region"].map(self.holder)
        sums = given.groupby([given["channel"], given["measure"], province.rename("region")])["value"].sum()
        table = sums.reset_index()
        return self._rows(*(table[name] for name in ("channel", "measure", "region", "value"))).assign(reported=True)

    def spoil(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Sow the faults, then lose and delay some of all."""
        rows = pd.concat([rows, *self._strangers(rows)], ignore_index=True)
        for column, measure, value in (
            ("value", "sessions", np.nan), ("value", "talk_s", -3.0), ("value", "handled", 2e6),
            ("value", "hold_s", np.inf), ("value", "sessions", 7.5), ("value", RATIO, 1.5),
            ("begun_s", "handled", 7), ("received_s", "hold_s", -300), ("dimension", "talk_s", 21),
        ):  # fmt: skip
            rows.loc[self._chosen(rows, measure), column] = value
        rows.loc[self._chosen(rows, "answered"), "value"] += 1
        rows.loc[self._chosen(rows, RATIO), "value"] = 0.0123
        totals = rows.index[rows["reported"]]
        rows.loc[totals[:: len(totals) // 5], "value"] += 50
        return self._late_and_lost(rows)

    def _chosen(self, rows: pd.DataFrame, measure: str) -> pd.Index:
        """The rows of one measure in a few (channel, city) that have no fault yet."""
        count = EACH * self.shape[2] // CITIES
        taken, self.pairs = self.pairs[:count], self.pairs[count:]
        pair = rows["channel"] * self.shape[2] + rows["region"] - self.cities[0]
        own = (rows["measure"] == self.measures.index(measure)) & ~rows["reported"]
        return rows.index[own & pair.isin(taken) & (rows["region"] >= self.cities[0])]

    def _strangers(self, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
        """The same figure twice, a place that nobody knows, and a part of a region that is not at the grain."""
        yield rows.loc[self._chosen(rows, "handled")].assign(revision=2)
        yield rows.loc[self._chosen(rows, "handled")].assign(region=-1)
        yield rows.loc[self._chosen(rows, "sessions")].assign(region=self.provinces[3])

    def _late_and_lost(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Delay, correct and lose a share of the rows; one measure, and two batches, are not there at all."""
        at, chance = self.measures.index, self.random.random(len(rows))
        rows.loc[(chance > 0.5) & (chance < 0.5 + LATE), "received_s"] += 1800
        rows.loc[(chance > 0.6) & (chance < 0.6 + CORRECTED), ["revision", "received_s"]] = 2, 600
        whole = (rows["channel"] == 2) & (rows["measure"] == at("votes"))
        floors = rows["channel"].isin([1, 5]) & rows["measure"].isin([at(one) for one in FLOOR])
        return rows[(chance >= MISSING) & ~whole & ~floors]


def _frame(catalogue: Catalogue, rows: pd.DataFrame) -> pd.DataFrame:
    """Codes as the store gives them back: ordered by key, names as categories that all occur, times to the second."""
    rows = rows.sort_values(["channel", "measure", "region", "dimension", "begun_s"], ignore_index=True)
    keys = ["", *(encode_dimensions({"service_type": one}) for one in (*SERVICES, "unheard_of"))]
    labels = {
        "channel": list(catalogue.channels), "measure": list(catalogue.measures),
        "region": [*catalogue.regions, "999999"], "dimension": keys, "batch": ["", "b1", "b2"],
    }  # fmt: skip
    codes = rows.assign(batch=rows["revision"])
    names = {name: _category(codes[name].to_numpy(), known) for name, known in labels.items()}
    moment = {name: START + pd.to_timedelta(codes[f"{name}_s"], unit="s") for name in ("begun", "received")}
    moments = {name: pd.Series(value).dt.as_unit("s") for name, value in moment.items()}
    return pd.DataFrame(
        {
            **{name: names[name] for name in ("channel", "measure", "region", "dimension")},
            "start": moments["begun"], "value": codes["value"], "reported": codes["reported"],
            "revision": codes["revision"], "received_at": moments["received"], "batch": names["batch"],
        }
    )  # fmt: skip


def _category(codes: Numbers, labels: Sequence[str]) -> pd.Categorical:
    used, positions = np.unique(codes % len(labels), return_inverse=True)
    return pd.Categorical.from_codes(positions, categories=pd.Index([labels[at] for at in used], dtype="str"))


def _batches(catalogue: Catalogue, faults: bool) -> pd.DataFrame:
    """A batch of each source, and the corrections; of the faulty ones two are lost and two late."""
    came = {(at, source): 120 for at in range(len(catalogue.channels)) for source in ("main", "floor")}
    came |= {(3, "main"): 300, (4, "main"): 1740} if faults else {}
    lost = {(1, "floor"), (5, "floor")} if faults else set()
    names = list(catalogue.channels)
    rows = [
        (f"{name}-{at}-{source}", names[at], source, START, START + MINUTE, START + timedelta(seconds=after),
         0 if lost & {(at, source)} else 16000, "timeout" if lost & {(at, source)} else "", (at, source) not in lost,
         False)
        for name, delay in (("first", 0), ("correction", 600))
        for (at, source), after in ((pair, seconds + delay) for pair, seconds in came.items())
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(BATCH_COLUMNS))
    for name in ("start", "end", "fetched_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).dt.as_unit("s")
    return frame


def _refused(catalogue: Catalogue) -> pd.DataFrame:
    """Records that the collectors of two channels had to refuse, for each rule that speaks of records."""
    codes = {"TY-01": "not_a_number", "TY-02": "not_a_duration", "TY-03": "naive_time", "CP-03": "value_missing",
             "AC-01": "below_minimum", "AC-02": "unknown_region"}  # fmt: skip
    channels = list(catalogue.channels)
    rows = [
        (f"first-{at}-main", channels[at], "main", rule, "", "fail", 1, 16000, code,
         ({"line": line, "column": "value", "code": code, "value": "?"},))
        for at in (7, 8)
        for line, (rule, code) in enumerate(codes.items(), start=2)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(ROW_CHECK_COLUMNS))
