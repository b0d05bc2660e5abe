"""The peer of the audit: what a pandera schema can say of the same evidence, written as well as we know how.

One schema for the rows, validated lazily; every check is vectorised, names are categories, sums look only at the
measures they are about. pandera has no word for keys that should be there, so the expected figures and the expected
sources are frames of their own with small schemas. It says nothing of rejects, provinces, what blocks what, or how
many units were looked at.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pandera.pandas as pa

from config.catalogue import Catalogue, Kind, Level
from data_quality import Evidence
from tests.support.audited_nation import PARTS, RATIO, SERVICES

Cell = tuple[str, str, str]
"""Channel, measure (or source), place (or '')."""
KEY = ["channel", "measure", "region"]
"""Of what is about a source, the source stands in the place of the measure, and the region is ''."""
DEADLINE_S, FAR_TOO_LATE_S = 180, 900
HALF_A_DIGIT = 0.5e-4 + 1e-12
SIGN = {"offered": 1.0} | dict.fromkeys(PARTS, -1.0)


@dataclass(frozen=True)
class Schemas:
    """The schemas of the rows, the expected figures and the expected sources, and what they stand on."""

    rows: pa.DataFrameSchema
    figures: pa.DataFrameSchema
    sources: pa.DataFrameSchema
    expected: pd.MultiIndex
    sources_expected: pd.DataFrame
    names: dict[str, list[str]]


class RowChecks:
    """What should be true of each row: functions of the whole table, that say so of every row."""

    def __init__(self, catalogue: Catalogue) -> None:
        measures, regions = catalogue.measures, catalogue.regions
        self.counts = [one.id for one in measures.values() if one.unit == "n" and one.kind is Kind.ADDITIVE]
        self.lowest = {name: one.minimum for name, one in measures.items()}
        self.highest = {name: np.inf if one.maximum is None else one.maximum for name, one in measures.items()}
        self.provinces = {code: region.parent for code, region in regions.items() if region.level is Level.CITY}

    def possible(self, table: pd.DataFrame) -> pd.Series:
        """AC-01: each value is one that its measure can have."""
        low, high = (table["measure"].map(bound).astype(np.float64) for bound in (self.lowest, self.highest))
        return table["value"].isna() | (np.isfinite(table["value"]) & table["value"].between(low, high))

    def whole(self, table: pd.DataFrame) -> pd.Series:
        """TY-01: what counts things is a whole number."""
        value = table["value"]
        return ~(np.isfinite(value) & (value != np.rint(value)) & table["measure"].isin(self.counts))

    def ratio(self, table: pd.DataFrame) -> pd.Series:
        """AC-02: a ratio lies in [0, 1]."""
        return (table["measure"] != RATIO) | table["value"].isna() | table["value"].between(0, 1)

    def at_grain(self, table: pd.DataFrame) -> pd.Series:
        """AC-02: parts are of cities, and what is above them is a reported total."""
        return table["region"].isna() | (table["region"].isin(list(self.provinces)) != table["reported"])

    def balanced(self, table: pd.DataFrame) -> pd.Series:
        """AC-03: what was offered is what became of it."""
        own = table[table["measure"].isin(list(SIGN)) & ~table["reported"]]
        signed = own["value"] * own["measure"].map(SIGN).astype(np.float64)
        rest = signed.groupby([own["channel"], own["region"]], observed=True).transform("sum")
        return ~(table["measure"] == "offered") | rest.abs().le(1e-6).reindex(table.index, fill_value=True)

    def ratio_agrees(self, table: pd.DataFrame) -> pd.Series:
        """AC-04: a reported ratio is that of its parts, to half a unit of its last digit."""
        chosen = table["measure"].isin([RATIO, "answered", "offered"]) & ~table["reported"]
        own = table[chosen].drop_duplicates(KEY).pivot(index=["channel", "region"], columns="measure", values="value")
        off = (own[RATIO] - own["answered"] / own["offered"]).abs() > HALF_A_DIGIT
        given = table.loc[table["measure"] == RATIO, ["channel", "region"]]
        wrong = off[off].index
        return ~pd.Series(pd.MultiIndex.from_frame(given).isin(wrong), given.index).reindex(
            table.index, fill_value=False
        )

    def totals_agree(self, table: pd.DataFrame) -> pd.Series:
        """AC-05: a province's total is the sum of its cities."""
        totals = table[table["reported"]]
        parts = table[~table["reported"] & table["measure"].isin(totals["measure"].unique())]
        above = parts["region"].map(self.provinces).rename("region")
        keys = [one.astype(str) for one in (parts["channel"], parts["measure"], above)]
        sums = parts["value"].groupby(keys).sum()
        said = totals.join(sums.rename("parts"), on=KEY)
        fits = (said["value"] - said["parts"]).abs() <= np.maximum(1, 0.001 * said["value"].abs())
        return fits.reindex(table.index, fill_value=True)

    def in_time(self, table: pd.DataFrame) -> pd.Series:
        """TM-04: nothing begins after it came."""
        return table["start"] - table["received_at"] <= pd.Timedelta(60, "s")

    def once(self, table: pd.DataFrame) -> pd.Series:
        """TM-05: a key comes once an interval."""
        return ~table.duplicated([*KEY, "dimension", "start", "reported"], keep=False)

    def all(self) -> list[pa.Check]:
        """The checks by our names of the rules."""
        named = {
            "AC-01": [self.possible], "TY-01": [self.whole], "AC-02": [self.ratio, self.at_grain],
            "AC-03": [self.balanced], "AC-04": [self.ratio_agrees], "AC-05": [self.totals_agree],
            "TM-04": [self.in_time], "TM-05": [self.once],
        }  # fmt: skip
        return [pa.Check(check, name=name) for name, checks in named.items() for check in checks]


def schema(evidence: Evidence) -> Schemas:
    """The schemas for a catalogue; made once, as the rules of the audit are."""
    catalogue = evidence.catalogue
    regions, channels = catalogue.regions, catalogue.channels
    names = {"channel": list(channels), "measure": list(catalogue.measures), "region": list(regions)}
    known = ["", *(f"service_type={code}" for code in SERVICES)]
    columns = {name: pa.Column(nullable=False) for name in names}
    columns["dimension"] = pa.Column(checks=pa.Check(lambda key: key.isin(known), name="AC-02"))
    columns["value"] = pa.Column(np.float64, nullable=False)
    columns["start"] = pa.Column(checks=pa.Check(lambda start: start.dt.second == 0, name="TY-03"))
    expected = pd.MultiIndex.from_product(
        [names["channel"], names["measure"], list(catalogue.at_level(Level.CITY))], names=KEY
    )
    pairs = [(one.id, source.id, "") for one in channels.values() for source in one.sources]
    return Schemas(
        pa.DataFrameSchema(columns, checks=RowChecks(catalogue).all()),
        pa.DataFrameSchema({"came": pa.Column(bool, pa.Check(lambda came: came, name="CP-02"))}),
        _source_schema(), expected, pd.DataFrame(pairs, columns=KEY), names,
    )  # fmt: skip


def _source_schema() -> pa.DataFrameSchema:
    """Each source brought a batch, by its deadline, and not far too late."""
    late = pa.Column(
        np.float64,
        [
            pa.Check(lambda after: after <= DEADLINE_S, name="TM-01"),
            pa.Check(lambda after: after <= DEADLINE_S + FAR_TOO_LATE_S, name="TM-02"),
        ],
        nullable=True,
    )
    return pa.DataFrameSchema({"came": pa.Column(bool, pa.Check(lambda came: came, name="CP-01")), "after_s": late})


def failure_cases(schemas: Schemas, evidence: Evidence) -> pd.DataFrame:
    """Everything that the schemas find wrong: rule and key of each."""
    table = evidence.observations
    table = table.assign(**{name: table[name].cat.set_categories(known) for name, known in schemas.names.items()})
    came = schemas.expected.isin(pd.MultiIndex.from_frame(table.loc[~table["reported"], KEY]))
    figures = pd.DataFrame({"came": came}, index=schemas.expected).reset_index()
    found = [_failures(schemas.rows, table), _failures(schemas.figures, figures)]
    return pd.concat([*found, _failures(schemas.sources, _sources(schemas, evidence))], ignore_index=True)


def _sources(schemas: Schemas, evidence: Evidence) -> pd.DataFrame:
    """Each expected source with the seconds from the interval's end to its first readable batch."""
    good = evidence.batches[evidence.batches["ok"]]
    after = (good["fetched_at"] - good["end"]).dt.total_seconds()
    first = after.groupby([good["channel"], good["source"]]).min().rename("after_s").rename_axis(KEY[:2])
    sources = schemas.sources_expected.join(first, on=KEY[:2])
    return sources.assign(came=sources["after_s"].notna())


def _failures(rules: pa.DataFrameSchema, table: pd.DataFrame) -> pd.DataFrame:
    try:
        rules.validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases.drop_duplicates(["check", "column", "index"])
        at = cases["index"].to_numpy(np.int64)
        return table[KEY].iloc[at].assign(rule=cases["check"].to_numpy(), column=cases["column"].to_numpy())
    return pd.DataFrame(columns=[*KEY, "rule", "column"])


def bad_cells(cases: pd.DataFrame) -> dict[str, set[Cell]]:
    """The figures behind failure cases by our names of the rules; a key that nobody knows has no place."""
    null = cases["rule"] == "not_nullable"
    named = cases.assign(rule=cases["rule"].where(~null, cases["column"].map({"value": "CP-03"})))
    known = named.dropna(subset=["rule", *KEY])
    return {
        str(rule): set(own[KEY].astype(str).itertuples(index=False, name=None)) for rule, own in known.groupby("rule")
    }
