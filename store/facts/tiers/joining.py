"""Answers about consecutive pieces of time put together into the answer about all of it.

Sums add, peaks take the largest. A level needs to know its channel: where its last instant counts, the last piece
that has one; where the mean or the largest counts, every instant.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from config.catalogue import Catalogue, Kind
from metrics.condensing import by_instants
from metrics.rollup import roll_up
from store.facts.history import SumQuery
from store.facts.shared.buckets import runs
from store.facts.shared.seconds import moments
from store.facts.tiers.cutting import Piece

EVERY_INSTANT = 1
"""Buckets of one second: starts are whole seconds, so each holds one instant."""


def joined_answer(question: SumQuery, pieces: Sequence[Piece], catalogue: Catalogue) -> pd.DataFrame:
    """The answer of all pieces, as `History.totals` gives it."""
    if len(pieces) == 1:
        return pieces[0].tier.history.totals(replace(question, interval=pieces[0].span))
    parts = [
        part
        for measures, instants in _by_instants(question, catalogue)
        for number, piece in enumerate(pieces)
        if not (part := _part(question, measures, instants, number, piece, catalogue)).empty
    ]
    keys = [*(["bucket"] if question.by is not None else []), *question.group]
    rows = pd.concat(parts, ignore_index=True) if parts else _no_rows(keys)
    return _shaped(question, roll_up(rows, catalogue.measures, keys), keys)


def _by_instants(question: SumQuery, catalogue: Catalogue) -> list[tuple[tuple[str, ...], bool]]:
    """The measures whose instants are needed, and the others."""
    found: dict[bool, list[str]] = {}
    for name in question.measures:
        found.setdefault(by_instants(catalogue.measures[name]), []).append(name)
    return [(tuple(names), instants) for instants, names in found.items()]


def _part(
    question: SumQuery, measures: tuple[str, ...], instants: bool, number: int, piece: Piece, catalogue: Catalogue
) -> pd.DataFrame:
    """What one piece says of some measures: the question's keys, bucket, channel, measure, start (its order), value."""
    levels = any(catalogue.measures[name].kind is Kind.LEVEL for name in measures)
    group = question.group if "channel" in question.group or not levels else (*question.group, "channel")
    by = EVERY_INSTANT if instants else question.by
    found = piece.tier.history.totals(replace(question, measures=measures, interval=piece.span, by=by, group=group))
    texts = found.astype(dict.fromkeys([*group, "measure"], "str"))
    if "channel" not in group:
        texts["channel"] = ""
    if by is not None:
        texts["bucket"] = _buckets(question, piece, texts["start"], catalogue) if question.by is not None else 0
    return texts.assign(start=texts["start"].astype("int64") if instants else number)


def _buckets(question: SumQuery, piece: Piece, starts: pd.Series, catalogue: Catalogue) -> pd.Series:
    """The question's bucket of each start, in seconds."""
    if question.by is None:
        raise ValueError("a question without steps has no buckets")
    seconds = starts.dt.as_unit("s").astype("int64").to_numpy()
    found = runs(piece.span, question.by, catalogue.day)
    run = np.searchsorted([stretch.since for stretch in found], seconds, side="right") - 1
    anchor, step = (np.array([getattr(stretch, name) for stretch in found])[run.clip(0)] for name in ("anchor", "step"))
    return pd.Series(seconds - (seconds - anchor) % step, starts.index)


def _no_rows(keys: Sequence[str]) -> pd.DataFrame:
    columns = dict.fromkeys([*keys, "channel", "measure"], "str") | {"start": "int64", "value": "float64"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def _shaped(question: SumQuery, found: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    ordered = found.sort_values([*keys, "measure"], ignore_index=True)
    shaped = ordered.astype(dict.fromkeys([*question.group, "measure"], "category"))
    if question.by is None:
        return shaped[[*question.group, "measure", "value"]]
    shaped.insert(0, "start", moments(shaped["bucket"].to_numpy(dtype=np.int64)))
    return shaped[["start", *question.group, "measure", "value"]]
