"""From sums by bucket and group to the figure of each cell: a formula is divided, a sketch is read off its marks."""

import numpy as np
import pandas as pd

from config.catalogue import Catalogue, Formula, Kind, Sketch
from metrics.arithmetic import Figure, Figures, figures
from metrics.formula import formula_table
from metrics.sketches import sketch_figure

CELL = ["bucket", "group"]
UNREAD = Figure(None, None, None, None)


def formula_cells(catalogue: Catalogue, formula: Formula, sums: pd.DataFrame, index: pd.MultiIndex) -> Figures:
    """The figures of the cells of `index`, each of shape (cells,); `sums` has CELL, measure and value."""
    wide = sums.pivot_table(index=CELL, columns="measure", values="value", aggfunc="sum", observed=True)
    found = wide.reindex(index)
    if not found.empty:
        found = _zeros(catalogue, formula, found)
    table = formula_table({"asked": formula}, formula.measures)
    out = figures(table, found.reindex(columns=list(table.measures)).to_numpy(dtype=np.float64).T)
    return Figures(out.value[0], out.numerator[0], out.denominator[0], out.n[0])


def sketch_cells(catalogue: Catalogue, sketch: Sketch, sums: pd.DataFrame, index: pd.MultiIndex) -> Figures:
    """As `formula_cells`; `sums` has CELL, the sketch's dimension and value."""
    accuracy = catalogue.accuracies.get(sketch.dimension)
    marks = sums.groupby([*CELL, sketch.dimension], observed=True)["value"].sum().reset_index(sketch.dimension)
    found = {
        cell: sketch_figure(sketch, dict(zip(part[sketch.dimension], part["value"], strict=True)), accuracy)
        for cell, part in marks.groupby(level=CELL)
    }
    cells = [found.get(cell, UNREAD) for cell in index]
    rows = [(cell.value, cell.numerator, cell.denominator, cell.n) for cell in cells]
    return Figures(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)


def _zeros(catalogue: Catalogue, formula: Formula, sums: pd.DataFrame) -> pd.DataFrame:
    """Where anything of a channel was read, an additive measure without a row is a zero that was read."""
    additive = [name for name in formula.measures if catalogue.measures[name].kind is Kind.ADDITIVE]
    whole = sums.reindex(columns=list(formula.measures))
    read = whole.notna().any(axis=1)
    whole.loc[read, additive] = whole.loc[read, additive].fillna(0.0)
    return whole
