"""The windows as a believable snapshot of the product's own catalogue has them."""

from functools import cache
from typing import Any

from config.catalogue import NATION, Catalogue
from config.loading import load
from dashboards.site.registry import all_windows
from dashboards.views import View
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
    view = View(window, scope, **choices)
    words = Words(catalogue(), view.language)
    return dict(all_windows()[window].panels(snapshot(kind), view, catalogue(), words))


def laid_out(window: str, scope: str = NATION, language: str = "zh", mode: str = "desk") -> Any:
    view = View(window, scope, language=language, mode=mode)
    return all_windows()[window].layout(view, catalogue(), Words(catalogue(), language))
