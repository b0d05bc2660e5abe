"""The readings of a snapshot as one sheet: a row a metric, a column a (window, channel, place)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue
from metrics.arithmetic import Figures
from metrics.formula import Floats
from metrics.readings import WINDOWS
from metrics.states import ORDER, states_of
from pipeline.board import Board
from pipeline.channel_figures import ChannelFigures, Scope
from pipeline.figures import Formulas

ALL = ""
"""Channel of a reading over all channels together."""


@dataclass(frozen=True)
class Columns:
    """Some columns of the sheet: one scope over one window at some places."""

    window: int
    channel: int
    """0: all channels; else one more than the channel's place in the catalogue."""
    places: npt.NDArray[np.int64]
    value: Floats
    numerator: Floats
    denominator: Floats
    n: Floats
    previous: Floats
    open_share: Floats
    """By column, not by metric."""
    ends: npt.NDArray[np.int64]
    """By metric: seconds since 1970."""


class ReadingSheet:
    """Lays out all readings: each channel at the nation and the provinces, all channels at every place."""

    def __init__(self, catalogue: Catalogue, board: Board, formulas: Formulas, known: ChannelFigures) -> None:
        self.catalogue, self.board, self.formulas, self.known = catalogue, board, formulas, known
        self.metrics = tuple(catalogue.metrics.values())
        self.channels = (ALL, *catalogue.channels)
        self.everywhere = np.arange(len(board.places.codes))

    def frame(self, now: datetime) -> pd.DataFrame:
        """READING_COLUMNS but for trust and reason, and `open_share`: contacts whose end is open, as a share."""
        blocks = [block for at, window in enumerate(WINDOWS) for block in self._window(at, window, now)]
        if not blocks:
            return self._columns(np.zeros(0, np.int64), np.zeros(0, np.int64), [])
        numerator = np.concatenate([block.numerator for block in blocks], axis=1)
        metric, column = np.nonzero(~np.isnan(numerator))
        return self._columns(metric, column, blocks)

    def _window(self, at: int, window: str, now: datetime) -> list[Columns]:
        scopes = {
            number: scope
            for number, channel in enumerate(self.catalogue.channels, start=1)
            if (scope := self.known.scope(channel, window, now)) is not None
        }
        if not scopes:
            return []
        blocks = [self._channel(at, number, scope) for number, scope in scopes.items()]
        return [*blocks, self._together(at, list(scopes.values()))]

    def _channel(self, window: int, number: int, scope: Scope) -> Columns:
        tops = self.board.places.tops
        now, before = (self.formulas.divide(halves.at(tops)) for halves in (scope.now, scope.before))
        return _block(window, number, tops, now, before, _share(scope.waiting[tops], scope.offered[tops]), scope.ends)

    def _together(self, window: int, scopes: list[Scope]) -> Columns:
        """All channels as one."""
        now = self.formulas.join([scope.now for scope in scopes])
        before = self.formulas.join([scope.before for scope in scopes])
        waiting = np.sum([scope.waiting for scope in scopes], axis=0)
        offered = np.sum([scope.offered for scope in scopes], axis=0)
        return _block(window, 0, self.everywhere, now, before, _share(waiting, offered), self._ends(scopes))

    def _ends(self, scopes: list[Scope]) -> npt.NDArray[np.int64]:
        """By metric: where the slowest of the channels ends that the figure of all channels stands on."""
        ends = np.stack([scope.ends for scope in scopes])
        known = np.stack([~np.isnan(scope.now.numerator).all(axis=1) for scope in scopes])
        slowest: npt.NDArray[np.int64] = np.where(known, ends, ends.max()).min(axis=0)
        return slowest

    def _columns(
        self, metric: npt.NDArray[np.int64], column: npt.NDArray[np.int64], blocks: Sequence[Columns]
    ) -> pd.DataFrame:
        def cells(name: str) -> Floats:
            sheets = [getattr(block, name) for block in blocks]
            return np.concatenate(sheets, axis=1)[metric, column] if sheets else np.zeros(0)

        def by_column(parts: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
            return np.concatenate(parts)[column] if parts else np.zeros(0, np.int64)

        sheets = [np.broadcast_to(block.ends[:, None], block.value.shape) for block in blocks]
        ends = np.concatenate(sheets, axis=1)[metric, column] if sheets else np.zeros(0, np.int64)
        return pd.DataFrame(
            {
                "metric": pd.Categorical.from_codes(metric, self.formulas.metrics),
                "window": pd.Categorical.from_codes(
                    by_column([np.full(len(block.places), block.window) for block in blocks]), tuple(WINDOWS)
                ),
                "region": pd.Categorical.from_codes(
                    by_column([block.places for block in blocks]), self.board.places.codes
                ),
                "channel": pd.Categorical.from_codes(
                    by_column([np.full(len(block.places), block.channel) for block in blocks]), self.channels
                ),
                "value": cells("value"),
                "numerator": cells("numerator"),
                "denominator": cells("denominator"),
                "n": cells("n"),
                "previous": cells("previous"),
                "at": pd.DatetimeIndex(ends.astype("datetime64[s]")).tz_localize("UTC"),
                "state": pd.Categorical.from_codes(self._states(blocks)[metric, column], ORDER),
                "open_share": np.concatenate([block.open_share for block in blocks])[column] if blocks else [],
            }
        )

    def _states(self, blocks: Sequence[Columns]) -> npt.NDArray[np.int8]:
        """Each figure against its target, as places in ORDER, by (metric, column)."""
        if not blocks:
            return np.zeros((len(self.metrics), 0), np.int8)
        value, n = (np.concatenate([getattr(block, name) for block in blocks], axis=1) for name in ("value", "n"))
        return np.stack([states_of(metric, value[at], n[at]) for at, metric in enumerate(self.metrics)])


def _block(
    window: int,
    channel: int,
    places: npt.NDArray[np.int64],
    now: Figures,
    before: Figures,
    open_share: Floats,
    ends: npt.NDArray[np.int64],
) -> Columns:
    halves = (now.numerator, now.denominator)
    return Columns(window, channel, places, now.value, *halves, now.n, before.value, open_share, ends)


def _share(waiting: Floats, offered: Floats) -> Floats:
    """Contacts whose end is open, as a share of those offered."""
    return np.divide(waiting, offered, out=np.zeros(len(offered)), where=offered > 0)
