"""The flow diagram as a chart object: where each node stands, how thick each link is, what each says.

`assets/charts.js` draws it (docs/architecture.md, Chart objects) and decides nothing by itself.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from config.catalogue import Catalogue
from dashboards.panels.flow_paths import (
    LAST,
    OTHER,
    STAGES,
    UNTOLD,
    Node,
    Paths,
    Strand,
    ordered,
    sizes,
    strands,
    with_small_channels_together,
)
from wording.words import Words

LEAST = 0.01
"""Links below this share of all contacts run together."""
FLOOR = 0.94
"""The stages stand above this height, or higher up where the thin links below them need more."""
RIGHT = 0.8
"""Where the last stage stands: its names are on its right, like everybody's."""
SLOT = 0.046
"""Height that a node's label needs."""
SPACE = 0.012
"""Least space between two nodes of a stage."""
MEANING = {
    "resolved_first": "--good",
    "transferred": "--warning",
    "ticket_open": "--pending",
    "waiting": "--pending",
    "abandoned": "--critical",
    "repeat_24h": "--critical",
}
"""Paint of an outcome by what it means to the customer; other outcomes are neutral."""


def remainder(paths: Paths) -> float:
    """Contacts whose outcome no source explains."""
    return sizes(paths, LAST).get(UNTOLD, 0.0)


def flow_figure(paths: Paths, day: Paths, catalogue: Catalogue, words: Words) -> dict[str, Any]:
    """The chart object of a set of paths.

    `day` is the same place's whole day: it decides the order of the nodes, so that a diagram of the
    last quarter of an hour does not rearrange itself under the eyes of those who watch it.
    """
    if not paths:
        return {"nodes": [], "links": [], "empty": words("flow.empty")}
    together = with_small_channels_together(paths, LEAST)
    drawn = strands(together, LEAST)
    through = _through(drawn)
    places = _places(_order(together, day), through)
    position = {node: index for index, node in enumerate(places)}
    names = {node: _name(node, words) for node in places}
    total = sum(paths.values())
    return {
        "nodes": [
            {
                "id": f"{node.stage:g}:{node.value}",
                "text": names[node],
                "value": str(words.count(through[node])),
                "paint": _paint(node, catalogue),
                **place,
            }
            for node, place in places.items()
        ],
        "links": [
            {
                "from": position[strand.start],
                "to": position[strand.end],
                "contacts": contacts,
                "channel": strand.channel,
                "paint": _link_paint(strand, catalogue),
                "text": words(
                    "flow.link",
                    start=names[strand.start],
                    end=names[strand.end],
                    contacts=words.count(contacts),
                    share=words.share(contacts / total),
                ),
            }
            for strand, contacts in sorted(drawn.items(), key=lambda item: _seat(item[0], position))
        ],
        "empty": "",
    }


def _order(paths: Paths, day: Paths) -> list[list[str]]:
    """Nodes of every stage from top to bottom, in the order of the day, then those that the day lacks."""
    order = []
    for stage, known in enumerate(ordered(day)):
        present = {path[stage] for path in paths}
        nodes = [node for node in known if node in present] + sorted(present.difference(known))
        order.append(sorted(nodes, key=lambda node: node in (OTHER, UNTOLD)))
    return order


def _places(order: list[list[str]], through: Mapping[Node, float]) -> dict[Node, dict[str, float]]:
    """Centre and height of every node, all between 0 and 1 from the top left."""
    stages = [{value: through[Node(stage, value)] for value in values} for stage, values in enumerate(order)]
    thin = max((contacts for node, contacts in through.items() if node.stage % 1), default=0.0)
    scale = min(_scale(list(stage.values()), FLOOR) for stage in stages)
    floor = min(FLOOR, 1 - thin * scale - SPACE)
    scale = min(_scale(list(stage.values()), floor) for stage in stages)
    places: dict[Node, dict[str, float]] = {}
    for stage, nodes in enumerate(stages):
        slots = {value: max(size * scale, SLOT) for value, size in nodes.items()}
        space = min((floor - sum(slots.values())) / max(1, len(slots) - 1), 5 * SPACE)
        top = (floor - sum(slots.values()) - space * (len(slots) - 1)) / 2
        for value, slot in slots.items():
            places[Node(stage, value)] = _place(stage, top + slot / 2, nodes[value] * scale)
            top += slot + space
    for node in sorted(through.keys() - places.keys(), key=lambda node: node.stage):
        places[node] = _place(node.stage, 1 - max(SLOT, through[node] * scale) / 2, through[node] * scale)
    return places


def _place(stage: float, y: float, size: float) -> dict[str, float]:
    return {"x": round(stage / LAST * RIGHT, 4), "y": round(y, 4), "size": round(size, 5)}


def _scale(values: list[float], floor: float) -> float:
    """Height of one contact so that a stage with these nodes fits above the floor."""
    low, high = 0.0, floor / sum(values)
    for _ in range(24):
        middle = (low + high) / 2
        taken = sum(max(value * middle, SLOT) for value in values) + SPACE * (len(values) - 1)
        low, high = (middle, high) if taken <= floor else (low, middle)
    return low


def _through(drawn: Mapping[Strand, float]) -> dict[Node, float]:
    """Contacts through every node: what leaves the first stage, what enters any other."""
    through: dict[Node, float] = defaultdict(float)
    for strand, contacts in drawn.items():
        through[strand.end] += contacts
        if strand.start.stage == 0:
            through[strand.start] += contacts
    return through


def _seat(strand: Strand, position: Mapping[Node, int]) -> tuple[int, int, str]:
    """Links in this order leave a node and reach a node without crossing each other."""
    return position[strand.start], position[strand.end], strand.channel


def _name(node: Node, words: Words) -> str:
    if node.value == OTHER:
        return words("flow.other_channels" if node.stage == 0 else "flow.other")
    if node.value == UNTOLD:
        return words("flow.remainder" if node.stage == LAST else "flow.untold")
    if node.stage == 0:
        return words.name(node.value)
    short = f"flow.short.{node.value}"
    return words(short) if words.has(short) else words.code(STAGES[int(node.stage)], node.value)


def _paint(node: Node, catalogue: Catalogue) -> str:
    if node.stage == 0 and node.value in catalogue.channels:
        return catalogue.channels[node.value].colour
    if node.stage == LAST:
        return "--remainder" if node.value == UNTOLD else MEANING.get(node.value, "--neutral")
    return "--other" if node.value in (OTHER, UNTOLD) else "--node"


def _link_paint(strand: Strand, catalogue: Catalogue) -> str:
    """A channel's own colour; where channels run together, the meaning of the outcome or neutral."""
    if strand.channel in catalogue.channels:
        return catalogue.channels[strand.channel].colour
    if strand.end.stage == LAST and OTHER not in (strand.start.value, strand.end.value):
        return _paint(strand.end, catalogue)
    return "--other"
