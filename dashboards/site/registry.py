"""The windows that exist: the modules in `dashboards/windows/`, each checked when the process starts."""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import cast

from dashboards import windows
from dashboards.window import Window


class BadWindow(TypeError):
    """A module in `dashboards/windows/` lacks something that a window has."""


@cache
def all_windows() -> Mapping[str, Window]:
    """Every window by name, in the order of the navigation; raises BadWindow naming the module and what it lacks."""
    found = {}
    for module in pkgutil.iter_modules(windows.__path__):
        if not module.ispkg and not module.name.startswith("_"):
            window = import_module(f"dashboards.windows.{module.name}")
            lacking = [name for name in ("NAME", "LEVEL", "ORDER", "layout", "panels") if not hasattr(window, name)]
            if lacking:
                raise BadWindow(f"dashboards/windows/{module.name}.py has no {', '.join(lacking)}")
            found[window.NAME] = cast(Window, window)
    return dict(sorted(found.items(), key=lambda item: (item[1].ORDER is None, item[1].ORDER or 0)))
