"""A dimension that has no rules is said to have none: neither unrated, nor nought per cent of its checks run."""

from dataclasses import replace
from datetime import UTC, datetime
from math import nan

import pandas as pd
import pytest

from config.loading import load
from dashboards.panels.quality_summary import summary_parts
from dashboards.panels.quality_tables import heat_map_parts
from metrics.readings import SCORE_COLUMNS
from tests.support.believable import believable
from wording.words import Words

CATALOGUE = load()


@pytest.mark.parametrize(("language", "cell", "name"), [("zh", "无规则", "真实性"), ("en", "no rules", "authentic")])
def test_a_dimension_without_rules_says_so(language: str, cell: str, name: str) -> None:
    words = Words(CATALOGUE, language)
    rows = [("nation", "100000", "total", 96.0, 1.0), ("nation", "100000", "authenticity", nan, nan)]
    scores = pd.DataFrame(rows, columns=list(SCORE_COLUMNS))
    shown = heat_map_parts(scores, ["100000"], "nation", words)["score-nation-100000"]
    assert shown[".authenticity"] == cell
    assert shown[".total"] == words.score(96.0)
    snapshot = replace(believable(CATALOGUE, datetime(2026, 11, 21, 4, tzinfo=UTC), 1), scores=scores)
    head = summary_parts(snapshot, words)["summary-score"]
    assert head[".value"] == words.score(96.0)
    assert name in head[".coverage"]
    assert "100" in head[".coverage"]
