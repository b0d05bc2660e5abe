"""The pieces that every panel is built of: a titled section, a place for a chart, a part that a frame fills."""

from typing import Any

from dash import html


def section(name: str, title: str, content: Any, aside: str | None = None) -> html.Section:
    """A section with a heading; `aside` is the id of a short text at the end of the heading."""
    heading = [html.H2(title), *([html.Span(id=aside, className="panel-aside")] if aside else [])]
    label: dict[str, Any] = {"aria-label": title}
    body = html.Div(content, className="panel-body")
    return html.Section([html.Header(heading), body], className=f"panel panel-{name}", **label)


def chart(name: str, drawer: str, label: str | None = None, **data: str) -> html.Div:
    """An element that a drawer of `assets/charts.js` fills; without a label it repeats what text says already.

    `data` are the drawer's own settings, its `data-` attributes.
    """
    described: dict[str, Any] = {"data-chart": drawer} | {f"data-{name}": value for name, value in data.items()}
    described |= {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    return html.Div(id=name, className=drawer, **described)


def part(name: str, tag: Any = html.Span, **properties: Any) -> Any:
    """An empty element that a frame fills as `.name`."""
    return tag(**{"data-part": name, "className": name}, **properties)
