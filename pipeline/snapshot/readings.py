"""The readings of a snapshot as one sheet: a row a metric, a column a (window, channel, place)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue
from metrics.arithmetic import Fractions
from metrics.formula import Floats
from metrics.readings import WINDOWS
from metrics.states import ORDER, states_of
from pipeline.board.board import Board
from pipeline.snapshot.channel_figures import BACK, ChannelFigures, Scope
from pipeline.snapshot.formulas import Formulas

ALL = ""
"""Channel of a reading over all channels."""


@dataclass(frozen=True)
class Cells:
    """What stands in each cell of the sheet, before it is divided."""

    fractions: Fractions
    """By (metric, back, window, column)."""
    open_share: Floats
    """By (window, column)."""
    ends: npt.NDArray[np.int64]
    """By (metric, window, column): seconds since 1970."""

    def enter(
        self, columns: slice, fractions: Fractions, waiting: Floats, offered: Floats, ends: npt.NDArray[np.int64]
    ) -> None:
        """Fill some columns; `ends` by window, or by (metric, window)."""
        self.fractions.put(columns, fractions)
        self.open_share[:, columns] = np.divide(waiting, offered, out=np.zeros_like(offered), where=offered > 0)
        self.ends[..., columns] = ends[..., None]


class ReadingTable:
    """Lays out all readings: each channel at the nation and the provinces, all channels at every place.

    Each window has the same columns: the tops of one channel after the other, then every place of all channels.
    """

    def __init__(self, catalogue: Catalogue, board: Board, formulas: Formulas, known: ChannelFigures) -> None:
        self.catalogue, self.board, self.formulas, self.known = catalogue, board, formulas, known
        self.metrics = tuple(catalogue.metrics.values())
        channels, tops, places = len(catalogue.channels), len(board.places.tops), len(board.places.codes)
        self.shape = (len(self.metrics), len(WINDOWS), channels * tops + places)
        metric, window, column = np.indices(self.shape)
        channel = np.repeat([*range(1, channels + 1), 0], [tops] * channels + [places])
        place = np.concatenate([*[board.places.tops] * channels, np.arange(places)])
        self.names = {
            "metric": pd.Categorical.from_codes(metric.ravel(), formulas.metrics),
            "window": pd.Categorical.from_codes(window.ravel(), tuple(WINDOWS)),
            "region": pd.Categorical.from_codes(place[column.ravel()], board.places.codes),
            "channel": pd.Categorical.from_codes(channel[column.ravel()], (ALL, *catalogue.channels)),
        }
        """What every cell of the sheet is about."""

    def frame(self, now: datetime) -> pd.DataFrame:
        """As READINGS says but for trust and reason, and `open_share`: contacts whose end is open, as a share."""
        cells = self._cells(now)
        figures = self.formulas.divide(cells.fractions)
        current, before = range(len(BACK))
        rows = np.flatnonzero(cells.fractions.read[:, current])

        def shown(sheet: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
            return np.broadcast_to(sheet, self.shape).reshape(-1)[rows]

        value, n = figures.value[:, current], figures.n[:, current]
        states = np.stack([states_of(metric, value[at], n[at]) for at, metric in enumerate(self.metrics)])
        return pd.DataFrame(
            {
                **{name: every[rows] for name, every in self.names.items()},
                "value": shown(value),
                "numerator": shown(figures.numerator[:, current]),
                "denominator": shown(figures.denominator[:, current]),
                "n": shown(n),
                "previous": shown(figures.value[:, before]),
                "at": pd.DatetimeIndex(shown(cells.ends).astype("datetime64[s]")).tz_localize("UTC"),
                "state": pd.Categorical.from_codes(shown(states), ORDER),
                "open_share": shown(cells.open_share),
            },
            copy=False,
        )

    def _cells(self, now: datetime) -> Cells:
        metrics, windows, columns = self.shape
        cells = Cells(
            Fractions.unread((metrics, len(BACK), windows, columns)),
            np.zeros((windows, columns)),
            np.zeros(self.shape, np.int64),
        )
        tops = self.board.places.tops
        known: list[Scope] = []
        for at, channel in enumerate(self.catalogue.channels):
            if (scope := self.known.scope(channel, now)) is not None:
                known.append(scope)
                counts = (scope.waiting[:, tops], scope.offered[:, tops])
                cells.enter(slice(at * len(tops), (at + 1) * len(tops)), scope.fractions.at(tops), *counts, scope.ends)
        if known:
            waiting = np.sum([scope.waiting for scope in known], axis=0)
            offered = np.sum([scope.offered for scope in known], axis=0)
            everywhere = slice(len(self.catalogue.channels) * len(tops), None)
            joined = self.formulas.join([scope.fractions for scope in known])
            cells.enter(everywhere, joined, waiting, offered, _slowest(known))
        return cells


def _slowest(scopes: Sequence[Scope]) -> npt.NDArray[np.int64]:
    """By (metric, window): where the slowest of the channels ends that the figure of all channels stands on."""
    ends = np.stack([scope.ends for scope in scopes])
    known = np.stack([scope.fractions.read[:, 0].any(axis=-1) for scope in scopes])
    slowest: npt.NDArray[np.int64] = np.where(known, ends[:, None], ends.max(axis=0)).min(axis=0)
    return slowest
