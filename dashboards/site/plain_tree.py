"""A tree of HTML components as one Dash component, drawn by `assets/plain_tree.js`.

Dash's renderer keeps books about every component of a page, which takes a browser most of a second for the 1,400
elements of a window. None of them has a callback: numbers come by the stream, and links by the address.
"""

from typing import Any

from dash.development.base_component import Component

HTML = "dash_html_components"


class PlainTree(Component):
    """HTML components drawn together; another `address` is another page, of which no element is kept.

    Raises TypeError for a component that is more than HTML: it would be drawn without what makes it work.
    """

    _namespace = "watchfloor"
    _type = "PlainTree"
    _prop_names = ["tree", "address"]  # noqa: RUF012 - Dash's own way to say it
    _valid_wildcard_attributes: list[str] = []  # noqa: RUF012

    def __init__(self, tree: Component, address: str) -> None:
        super().__init__(tree=_written(tree), address=address)  # type: ignore[no-untyped-call]  # dash has no types here


def _written(node: Any) -> Any:
    """A component as a tag, its properties and its children; a text as it is."""
    if isinstance(node, list | tuple):
        return [_written(child) for child in node]
    if not isinstance(node, Component):
        return node
    if node._namespace != HTML:
        raise TypeError(f"{node._namespace}.{node._type} cannot stand in a window: only dash.html can")
    properties = node.to_plotly_json()["props"]
    return {"tag": node._type.lower(), "children": _written(properties.pop("children", None)), "properties": properties}
