"""A window as one Dash component: what is written for the browser, and what is refused."""

from typing import Any

import pytest
from dash import dcc, html

from dashboards.site.plain_tree import PlainTree

PART: dict[str, Any] = {"data-part": "value"}


def written(tree: PlainTree) -> Any:
    """What goes to the browser; Dash sets properties by name."""
    return getattr(tree, "tree")  # noqa: B009 - not among the declared attributes


def test_a_tree_is_written_as_tags_properties_and_children() -> None:
    tree = html.Div([html.H1("一", id="title", **PART), "two", None], hidden=True)
    assert written(PlainTree(tree, "/flow")) == {
        "tag": "div",
        "properties": {"hidden": True},
        "children": [
            {"tag": "h1", "properties": {"id": "title", "data-part": "value"}, "children": "一"},
            "two",
            None,
        ],
    }


def test_a_single_child_and_none_at_all() -> None:
    assert written(PlainTree(html.Ol(html.Li("one")), ""))["children"]["children"] == "one"
    assert written(PlainTree(html.I(className="bar"), ""))["children"] is None


def test_what_is_more_than_html_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"dash_core_components\.Graph cannot stand in a window"):
        PlainTree(html.Div([html.P("a"), html.Div(dcc.Graph())]), "/flow")
