"""A dimension that has no rules is said to have none: neither unrated, nor nought per cent of its checks run."""

from datetime import UTC, datetime
from math import nan

import pandas as pd
import pytest

from config.loading import load
from dashboards.access.viewers import OpenAccess
from dashboards.site.pages import Pages
from dashboards.site.registry import all_windows
from metrics.readings import SCORES
from tests.support.believable import believable
from wording.words import Words

CATALOGUE = load()


@pytest.mark.parametrize(("language", "cell", "name"), [("zh", "无规则", "真实性"), ("en", "no rules", "authentic")])
def test_a_dimension_without_rules_says_so(language: str, cell: str, name: str) -> None:
    words = Words(CATALOGUE, language)
    rows = [
        (kind, key, dimension, *score)
        for kind, key in (("nation", "100000"), ("province", "440000"))
        for dimension, score in (("total", (96.0, 1.0)), ("authenticity", (nan, nan)))
    ]
    scores = pd.DataFrame(rows, columns=SCORES.columns)
    snapshot = believable(CATALOGUE, datetime(2026, 11, 21, 4, tzinfo=UTC), 1).with_frame(SCORES, scores)
    pages = Pages(CATALOGUE, OpenAccess(), all_windows())
    shown = pages.parts(snapshot, pages.view("/quality", f"lang={language}"))
    row, head = shown["score-province-440000"], shown["summary-score"]
    assert row[".authenticity"] == cell
    assert row[".total"] == words.score(96.0)
    assert head[".value"] == words.score(96.0)
    assert name in head[".coverage"]
    assert "100" in head[".coverage"]
