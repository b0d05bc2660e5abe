"""A window as one Dash component: what is written for the browser, and what is refused."""

import pytest
from dash import dcc, html

from dashboards.site.plain_tree import PlainTree


def test_a_tree_is_written_as_tags_properties_and_children() -> None:
    tree = html.Div([html.H1("一", id="title", **{"data-part": "value"}), "two", None], hidden=True)
    assert PlainTree(tree, "/flow").tree == {
        "tag": "div",
        "properties": {"hidden": True},
        "children": [
            {"tag": "h1", "properties": {"id": "title", "data-part": "value"}, "children": "一"},
            "two",
            None,
        ],
    }


def test_a_single_child_and_none_at_all() -> None:
    assert PlainTree(html.Ol(html.Li("one")), "").tree["children"]["children"] == "one"
    assert PlainTree(html.I(className="bar"), "").tree["children"] is None


def test_what_is_more_than_html_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"dash_core_components\.Graph cannot stand in a window"):
        PlainTree(html.Div([html.P("a"), [dcc.Graph()]]), "/flow")
