"""The windows that exist: the modules in `dashboards/windows/`, each checked when the process starts."""

import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module

from dashboards import windows
from dashboards.views import COMMON
from dashboards.window import Window


class BadWindow(TypeError):
    """A module in `dashboards/windows/` has no window, or one that another does not go with."""


@cache
def all_windows() -> Mapping[str, Window]:
    """Every window by name, in the order of the navigation; raises BadWindow naming the module and what is wrong."""
    names = [module.name for module in pkgutil.iter_modules(windows.__path__) if not module.name.startswith("_")]
    return in_order(_window_of(name) for name in names)


def in_order(found: Iterable[Window]) -> dict[str, Window]:
    """Windows by name in the order of the navigation; raises BadWindow where two do not go together."""
    ordered = sorted(found, key=lambda window: (window.order is None, window.order or 0))
    by_name: dict[str, Window] = {}
    parameters = {parameter.name: parameter for parameter in COMMON}
    for window in ordered:
        if window.name in by_name:
            raise BadWindow(f"two windows are called {window.name}: give one of them another name")
        by_name[window.name] = window
        for parameter in window.parameters:
            if parameters.setdefault(parameter.name, parameter) is not parameter:
                raise BadWindow(
                    f"window {window.name}: another window has a parameter {parameter.name!r} too, and links "
                    "would carry it from one to the other: use the same Parameter, or another name"
                )
    return by_name


def _window_of(name: str) -> Window:
    window = getattr(import_module(f"dashboards.windows.{name}"), "WINDOW", None)
    if not isinstance(window, Window):
        raise BadWindow(f"dashboards/windows/{name}.py has no WINDOW that is a dashboards.window.Window")
    return window
