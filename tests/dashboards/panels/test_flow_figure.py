"""The flow diagram conserves: whatever is folded, what enters a node leaves it or is shown as remainder."""

from collections import defaultdict
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.catalogue import NATION
from dashboards.panels.flow_figure import flow_figure, remainder
from dashboards.panels.flow_paths import (
    LAST,
    OTHER,
    STAGES,
    Node,
    paths_of,
    sizes,
    strands,
    with_small_channels_together,
)
from metrics.readings import FLOW
from tests.support.shown_windows import catalogue, shown, snapshot
from wording.words import Words

VALUES = ("", "a", "b", "c", "d", "e", "f")
PATHS = st.dictionaries(
    st.tuples(st.sampled_from(VALUES[1:]), *[st.sampled_from(VALUES)] * LAST),
    st.integers(min_value=1, max_value=100_000).map(float),
    max_size=60,
)


@given(PATHS, st.sampled_from((0.0, 0.01, 0.1, 0.5)))
def test_what_enters_a_node_leaves_it(paths: dict[tuple[str, ...], float], least: float) -> None:
    together = with_small_channels_together(paths, least)
    into: dict[Node, float] = defaultdict(float)
    out: dict[Node, float] = defaultdict(float)
    for strand, contacts in strands(together, least).items():
        assert strand.start.stage < strand.end.stage
        out[strand.start] += contacts
        into[strand.end] += contacts
    total = sum(paths.values())
    for node in into.keys() | out.keys():
        if 0 < node.stage < LAST:
            assert into[node] == out[node]
    assert sum(size for node, size in out.items() if node.stage == 0) == total
    assert {node.value: size for node, size in into.items() if node.stage == LAST} == sizes(paths, LAST)
    for stage in range(1, LAST):
        assert {node.value: size for node, size in into.items() if node.stage == stage} == sizes(paths, stage)


@given(PATHS)
def test_no_thin_link_is_left_between_named_nodes(paths: dict[tuple[str, ...], float]) -> None:
    together = with_small_channels_together(paths, 0.01)
    pairs: dict[tuple[Node, Node], float] = defaultdict(float)
    for strand, contacts in strands(together).items():
        if not strand.start.stage % 1 and not strand.end.stage % 1:
            pairs[strand.start, strand.end] += contacts
    for gap in range(LAST):
        thin = [size for (start, _), size in pairs.items() if start.stage == gap and size < 0.01 * sum(paths.values())]
        assert len(thin) <= 1, "a single thin link has nothing to run together with"


@settings(max_examples=40, deadline=None)
@given(PATHS)
def test_nodes_stand_apart_and_inside_the_picture(paths: dict[tuple[str, ...], float]) -> None:
    figure = flow_figure(paths, paths, catalogue(), Words(catalogue(), "zh"))
    stages: dict[float, list[tuple[float, float]]] = defaultdict(list)
    for node in figure["nodes"]:
        stages[node["x"]].append((node["y"] - node["size"] / 2, node["y"] + node["size"] / 2))
    for spans in stages.values():
        spans.sort()
        assert spans[0][0] >= -0.001
        assert spans[-1][1] <= 1.001
        assert all(upper[1] <= lower[0] + 0.001 for upper, lower in pairwise(spans))
    assert sum(link["contacts"] for link in figure["links"] if figure["nodes"][link["from"]]["x"] == 0) == sum(
        paths.values()
    )


def test_the_remainder_is_shown_and_zero_is_shown_as_zero() -> None:
    paths: dict[tuple[str, ...], float] = {("a", "", "", "", ""): 3.0, ("a", "", "", "", "resolved_first"): 5.0}
    assert remainder(paths) == 3.0
    assert remainder({("a", "", "", "", "resolved_first"): 5.0}) == 0.0
    names = [node["text"] for node in flow_figure(paths, {}, catalogue(), Words(catalogue(), "en"))["nodes"]]
    assert "unexplained" in names
    assert shown("flow", kind="empty", lang="en")["flow-remainder"]["text"] == "0 unexplained"


def test_no_contacts_say_so() -> None:
    figure = shown("flow", kind="empty")["flow"]["chart"]
    assert figure == {"nodes": [], "links": [], "empty": "本时段没有接触记录"}


def test_figures_of_channels_and_outcomes_are_those_of_the_frame() -> None:
    frame = snapshot().flow
    rows = frame[(frame["window"] == "15min") & (frame["region"] == NATION)]
    paths = paths_of(frame, "15min", NATION)
    for stage, name in enumerate(STAGES):
        expected = rows.groupby(name, observed=True)["contacts"].sum()
        assert sizes(paths, stage) == pytest.approx(expected[expected > 0].to_dict())


def test_nodes_keep_their_places_when_the_figures_move() -> None:
    day = paths_of(snapshot().flow, "today", NATION)
    words = Words(catalogue(), "zh")
    now = paths_of(snapshot().flow, "15min", NATION)
    moved = {path: contacts * (1.3 if index % 2 else 0.8) for index, (path, contacts) in enumerate(now.items())}

    def order(paths: dict[tuple[str, ...], float]) -> list[str]:
        return [node["id"] for node in flow_figure(paths, day, catalogue(), words)["nodes"] if OTHER not in node["id"]]

    assert order(now) == order(moved)


def test_parts_of_one_path_add_up() -> None:
    row = ("15min", NATION, "hotline", "ivr", "billing", "first_line", "resolved_first")
    frame = pd.DataFrame([(*row, 2.0), (*row, 3.0), ("60min", *row[1:], 9.0)], columns=FLOW.columns)
    assert paths_of(frame, "15min", NATION) == {row[2:]: 5.0}
