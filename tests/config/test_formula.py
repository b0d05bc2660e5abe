"""Linear expressions: what may be written, and what it comes to."""

import pytest

from config.formula import FormulaError, linear_terms


@pytest.mark.parametrize(
    ("expression", "terms"),
    [
        ("answered", {"answered": 1}),
        ("talk_s + hold_s + acw_s", {"talk_s": 1, "hold_s": 1, "acw_s": 1}),
        ("offered - (abandoned - flowed_out)", {"offered": 1, "abandoned": -1, "flowed_out": 1}),
        ("0.5 * (votes + 2 * votes_4_5)", {"votes": 0.5, "votes_4_5": 1}),
        ("-votes + 3 * votes", {"votes": 2}),
        ("votes - votes + due", {"due": 1}),
    ],
)
def test_coefficients(expression: str, terms: dict[str, float]) -> None:
    assert linear_terms(expression) == terms


@pytest.mark.parametrize(
    "expression",
    [
        "", "answered /", "answered / offered", "answered * offered", "answered + 1", "answered ** 2", "1", "0 * votes",
        "votes - votes", "True * votes", "1e999 * votes", "votes if due else sold", "abs(votes)", "votes.real",
        "votes[0]", "'votes'", "votes; due", "lambda: votes", "(" * 400 + "votes" + ")" * 400,
    ],
)  # fmt: skip
def test_anything_else_is_refused(expression: str) -> None:
    with pytest.raises(FormulaError):
        linear_terms(expression)
