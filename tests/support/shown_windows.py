"""The windows as a believable snapshot of the product's own catalogue has them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from config.catalogue import NATION, Catalogue
from config.loading import load
from dashboards.site.registry import all_windows
from dashboards.views import Addresses, View
from dashboards.window import Context
from metrics.readings import Snapshot
from tests.support.believable import believable, empty
from wording.words import Words


@cache
def catalogue() -> Catalogue:
    return load()


@cache
def snapshot(kind: str = "believable") -> Snapshot:
    return believable(catalogue()) if kind == "believable" else empty()


def shown(window: str, scope: str = NATION, kind: str = "believable", **choices: str) -> dict[str, Any]:
    return dict(all_windows()[window].parts(snapshot(kind), context(window, scope, **choices)))


def laid_out(window: str, scope: str = NATION, **choices: str) -> Any:
    return all_windows()[window].layout(context(window, scope, **choices), lambda action, scope: True)


def context(window: str, scope: str = NATION, **choices: str) -> Context:
    view = viewed(window, scope, **choices)
    return Context(view, catalogue(), Words(catalogue(), view.language))


def viewed(window: str, scope: str = NATION, **choices: str) -> View:
    return Addresses(catalogue(), all_windows()).view(window, scope, choices)


def elements(tree: Any) -> Iterator[Any]:
    """Every component of a Dash tree."""
    for node in tree if isinstance(tree, list | tuple) else [tree]:
        if hasattr(node, "to_plotly_json"):
            yield node
            children = getattr(node, "children", None)  # a component without children is false, so no `or` here
            yield from elements([] if children is None else children)
