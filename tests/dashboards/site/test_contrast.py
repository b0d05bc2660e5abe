"""WCAG AA, computed over the variables of both themes: 4.5 for text, 3 for shapes and edges of controls."""

import re

import pytest

from config.settings import ROOT

SHEET = (ROOT / "assets" / "css" / "theme.css").read_text(encoding="utf-8")
GROUNDS = ("page", "panel", "raised")
TEXTS = ("text", "dim", "accent", "good", "warning", "critical", "pending")
SHAPES = ("neutral", "node", "good", "warning", "critical", "pending", "remainder")
THEMES = {"dark": r":root \{(.*?)\n\}", "light": r'\[data-theme="light"\] \{(.*?)\n\}'}


def colours(theme: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("dark", theme):
        block = re.search(THEMES[name], SHEET, re.DOTALL)
        assert block
        found |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block.group(1)))
    return found


def channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def luminance(rgb: list[float]) -> float:
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: list[float], other: list[float]) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, ground: str, share: float) -> list[float]:
    """As `color-mix(in srgb, colour share, ground)`."""
    return [share * a + (1 - share) * b for a, b in zip(channels(colour), channels(ground), strict=True)]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXTS)
def test_text_is_readable(theme: str, ground: str, text: str) -> None:
    palette = colours(theme)
    assert contrast(channels(palette[text]), channels(palette[ground])) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_seen(theme: str, shape: str) -> None:
    palette = colours(theme)
    assert contrast(channels(palette[shape]), channels(palette["panel"])) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_text_on_tinted_grounds_is_readable(theme: str) -> None:
    palette = colours(theme)
    for state in ("critical", "warning", "good"):
        assert contrast(channels(palette[state]), mixed(palette[state], palette["panel"], 0.16)) >= 4.5, state
    for end, share in (("map-high", 0.34), ("map-high", 0.14), ("map-low", 0.16), ("map-low", 0.38)):
        assert contrast(channels(palette["text"]), mixed(palette[end], palette["panel"], share)) >= 4.5, (end, share)
    assert contrast(channels(palette["on-accent"]), channels(palette["accent"])) >= 4.5
    assert contrast(channels(palette["page"]), channels(palette["critical"])) >= 4.5
