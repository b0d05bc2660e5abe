"""Contacts by path, made fit to be drawn: who flows where in every gap between two stages.

A path has one value for each stage, so what enters a node leaves it. Thin links are not dropped: those
of one gap run together through one further node, OTHER, which hands on exactly what it takes in.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from dashboards.view_readings import among, values

STAGES = ("channel", "entry", "service_type", "handling", "outcome")
LAST = len(STAGES) - 1
OTHER = "*"
"""What is too thin to be drawn by itself: small channels, and the thin links of a gap."""
UNTOLD = ""
"""What the source did not tell; as an outcome it is the unexplained remainder."""

Path = tuple[str, ...]
Paths = Mapping[Path, float]


class Node(NamedTuple):
    """A place that contacts pass: a value of a stage, or OTHER half way (2.5) between two stages."""

    stage: float
    value: str


class Strand(NamedTuple):
    """Contacts between two nodes that came by one channel, or by many (OTHER)."""

    start: Node
    end: Node
    channel: str


def paths_of(flow: pd.DataFrame, window: str, region: str) -> dict[Path, float]:
    """Contacts by path of one time window and region of a snapshot's flow frame."""
    rows = np.flatnonzero(among(flow["region"], [region]) & among(flow["window"], [window]) & (flow["contacts"] > 0))
    columns = [values(flow[stage], rows) for stage in STAGES]
    return _summed(zip(zip(*columns, strict=True), values(flow["contacts"], rows), strict=True))


def sizes(paths: Paths, stage: int) -> dict[str, float]:
    """Contacts through every node of a stage, counted from 0 at the beginning of the paths."""
    return {
        node: size for (node,), size in _summed((path[stage : stage + 1], size) for path, size in paths.items()).items()
    }


def links(paths: Paths, gap: int) -> dict[Path, float]:
    """Contacts between the nodes of stage `gap` and those of the next."""
    return _summed((path[gap : gap + 2], size) for path, size in paths.items())


def with_small_channels_together(paths: Paths, least: float) -> dict[Path, float]:
    """The same contacts, channels with less than `least` of them being one channel, OTHER."""
    limit = least * sum(paths.values())
    small = {channel for channel, size in sizes(paths, 0).items() if size < limit}
    if len(small) < 2:
        return dict(paths)
    return _summed(((OTHER, *path[1:]) if path[0] in small else path, size) for path, size in paths.items())


def strands(paths: Paths, least: float = 0.01) -> dict[Strand, float]:
    """What is drawn: every link apart by channel, thin links through OTHER.

    A link is thin below `least` of all contacts. Of a link that is drawn, channels that bring less than
    half of `least` run together, because a hair's breadth has no colour that anybody could tell.
    """
    limit = least * sum(paths.values())
    found: dict[Strand, float] = defaultdict(float)
    for gap in range(LAST):
        parts = _summed(((path[0], *path[gap : gap + 2]), size) for path, size in paths.items())
        thin = {
            pair for pair, size in _summed((part[1:], size) for part, size in parts.items()).items() if size < limit
        }
        for (channel, left, right), size in parts.items():
            start, end, half = Node(gap, left), Node(gap + 1, right), Node(gap + 0.5, OTHER)
            if (left, right) in thin and len(thin) > 1:
                found[Strand(start, half, OTHER)] += size
                found[Strand(half, end, OTHER)] += size
            else:
                found[Strand(start, end, channel if size >= limit / 2 else OTHER)] += size
    return dict(found)


def ordered(paths: Paths, sweeps: int = 6) -> list[list[str]]:
    """The nodes of every stage from top to bottom, each at the middle of what it is linked to.

    The classical barycentre sweeps; OTHER and UNTOLD always stand at the bottom.
    """
    between = [links(paths, gap) for gap in range(LAST)]
    stages = [_biggest_first(sizes(between[0], 0)), *(_biggest_first(sizes(linked, 1)) for linked in between)]
    for sweep in range(sweeps):
        if sweep % 2 == 0:
            for stage in range(1, len(STAGES)):
                stages[stage] = _by_middle(stages[stage], stages[stage - 1], _turned(between[stage - 1]))
        else:
            for stage in range(LAST - 1, -1, -1):
                stages[stage] = _by_middle(stages[stage], stages[stage + 1], between[stage])
    return stages


def _biggest_first(nodes: Mapping[str, float]) -> list[str]:
    return sorted(nodes, key=lambda node: (node in (OTHER, UNTOLD), -nodes[node], node))


def _by_middle(nodes: list[str], beside: list[str], linked: Paths) -> list[str]:
    """Sort nodes by the mean place of their neighbours, weighted by contacts."""
    place = {node: position for position, node in enumerate(beside)}
    pull: dict[str, float] = defaultdict(float)
    weight: dict[str, float] = defaultdict(float)
    for (node, neighbour), size in linked.items():
        pull[node] += size * place[neighbour]
        weight[node] += size
    return sorted(nodes, key=lambda node: (node in (OTHER, UNTOLD), pull[node] / weight[node]))


def _turned(linked: Paths) -> dict[Path, float]:
    return {(right, left): size for (left, right), size in linked.items()}


def _summed(pairs: Iterable[tuple[Path, float]]) -> dict[Path, float]:
    found: dict[Path, float] = defaultdict(float)
    for path, size in pairs:
        found[path] += size
    return dict(found)
