"""The flow of contacts through the stages of service, and how many of them no source explains."""

from collections.abc import Collection
from dataclasses import dataclass

from dash import html

from dashboards.panels.elements import chart, section
from dashboards.panels.flow_figure import flow_figure, remainder
from dashboards.panels.flow_paths import STAGES, paths_of
from dashboards.parameters import TIME
from dashboards.window import Context, Needs, PanelData, Parts, Right
from metrics.readings import FLOW

DAY = "today"
"""The time window that decides the order of the nodes."""


@dataclass(frozen=True)
class FlowDiagram:
    """The paths of the scope's contacts in the view's time window."""

    def needs(self, context: Context) -> Needs:
        """All paths."""
        return Needs(frames=(FLOW.name,))

    def layout(self, context: Context, granted: Collection[Right]) -> list[html.Section]:
        """The names of the stages over the diagram."""
        words = context.words
        stages = html.Ol([html.Li(words(f"stage.{stage}")) for stage in STAGES], className="stages")
        diagram = chart("flow", "flow", words("flow.label"))
        return [section("flow", words("flow.title"), [stages, diagram], aside="flow-remainder")]

    def parts(self, context: Context, data: PanelData) -> Parts:
        """The diagram and its remainder."""
        frame, scope, words = data.frames[FLOW.name], context.view.scope, context.words
        paths = paths_of(frame, TIME.of(context.view), scope)
        day = paths_of(frame, DAY, scope)
        rest = remainder(paths)
        return {
            "flow": {"chart": flow_figure(paths, day, context.catalogue, words)},
            "flow-remainder": {
                "text": words("flow.unexplained", n=words.count(rest)),
                "@data-state": "warning" if rest else "good",
            },
        }
