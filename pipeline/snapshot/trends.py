"""Trends of a snapshot: five-minute buckets of the last two hours."""

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue
from metrics.readings import TREND
from pipeline.board.board import Board
from pipeline.snapshot.channel_figures import Buckets, ChannelFigures
from pipeline.snapshot.formulas import Formulas


class TrendTable:
    """All channels at the nation and the provinces, and each channel at the nation."""

    def __init__(self, catalogue: Catalogue, board: Board, formulas: Formulas, known: ChannelFigures) -> None:
        self.catalogue, self.board, self.formulas, self.known = catalogue, board, formulas, known
        self.channels = ("", *catalogue.channels)

    def frame(self, now: datetime) -> pd.DataFrame:
        """As TREND says; a bucket without a value has no row."""
        found = {
            number: buckets
            for number, channel in enumerate(self.catalogue.channels, start=1)
            if (buckets := self.known.buckets(channel, now)) is not None
        }
        if not found:
            return TREND.empty()
        nation = np.array([0])
        parts = [self._cells(number, buckets, nation) for number, buckets in found.items()]
        together = self.formulas.join([one.fractions for one in found.values()])
        starts = next(iter(found.values())).starts
        everywhere = np.arange(len(self.board.places.tops))
        parts.append(self._cells(0, Buckets(starts, together), everywhere))
        channel, start, metric, place, value = (np.concatenate(part) for part in zip(*parts, strict=True))
        return pd.DataFrame(
            {
                "metric": pd.Categorical.from_codes(metric, self.formulas.metrics),
                "region": pd.Categorical.from_codes(self.board.places.tops[place], self.board.places.codes),
                "channel": pd.Categorical.from_codes(channel, self.channels),
                "start": pd.DatetimeIndex(start.astype("datetime64[s]")).tz_localize("UTC"),
                "value": value,
            }
        )

    def _cells(
        self, channel: int, buckets: Buckets, places: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.generic], ...]:
        """(channel, start, metric, place among the tops, value) of every value there is."""
        values = self.formulas.divide(buckets.fractions.at(places)).value.swapaxes(0, 1)
        bucket, metric, place = np.nonzero(~np.isnan(values))
        shown = values[bucket, metric, place]
        return np.full(len(metric), channel), buckets.starts[bucket], metric, places[place], shown
