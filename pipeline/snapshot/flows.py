"""The flow of a snapshot: contacts by path over each window, for the nation and the provinces."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.catalogue import Catalogue
from metrics.observations import decode_dimensions
from metrics.readings import FLOW, WINDOWS
from pipeline.board.board import PATH_STAGES, Board
from pipeline.board.feed import Feed

Codes = npt.NDArray[np.int64]


class FlowTable:
    """Names every path's stages once and remembers them."""

    def __init__(self, catalogue: Catalogue, board: Board) -> None:
        self.board = board
        self.channels = tuple(catalogue.channels)
        self.names: dict[str, dict[str, int]] = {stage: {} for stage in PATH_STAGES}
        self._stages: dict[str, tuple[int, ...]] = {}

    def frame(self) -> pd.DataFrame:
        """As FLOW says."""
        parts = [
            self._cells(at, feed, paths)
            for at, window in enumerate(WINDOWS)
            for feed in self.board.feeds.values()
            if feed.paths.keys and (paths := self.board.path_window(feed, window)) is not None
        ]
        if not parts:
            return FLOW.empty()
        window, region, channel, stages, contacts = (np.concatenate(part) for part in zip(*parts, strict=True))
        return pd.DataFrame(
            {
                "window": pd.Categorical.from_codes(window, tuple(WINDOWS)),
                "region": pd.Categorical.from_codes(region, self.board.places.codes),
                "channel": pd.Categorical.from_codes(channel, self.channels),
                **{
                    stage: pd.Categorical.from_codes(stages[:, at], tuple(self.names[stage]))
                    for at, stage in enumerate(PATH_STAGES)
                },
                "contacts": contacts,
            }
        )

    def _cells(
        self, window: int, feed: Feed, paths: npt.NDArray[np.float64]
    ) -> tuple[Codes, Codes, Codes, Codes, npt.NDArray[np.float64]]:
        """(window, region, channel, stages, contacts) of one feed's paths that anybody took."""
        path, place = np.nonzero(paths)
        stages = np.array([self._stages_of(key) for key in feed.paths.keys], np.int64).reshape(-1, len(PATH_STAGES))
        channel = np.full(len(path), self.channels.index(feed.channel))
        return np.full(len(path), window), self.board.places.tops[place], channel, stages[path], paths[path, place]

    def _stages_of(self, key: str) -> tuple[int, ...]:
        if key not in self._stages:
            values = decode_dimensions(key)
            told = [(self.names[stage], values.get(stage, "")) for stage in PATH_STAGES]
            self._stages[key] = tuple(names.setdefault(value, len(names)) for names, value in told)
        return self._stages[key]
