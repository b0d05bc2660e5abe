"""One running product for the whole room: it costs seconds to start, so tests share it and leave it as it was."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.loading import PRODUCT
from tests.support.browsers import browser, page
from tests.support.real_product import House

__all__ = ["browser", "page"]


def impatient(folder: Path) -> Path:
    """The product's own catalogue, but for how long a source may be late: a test cannot wait for minutes."""
    shutil.copytree(PRODUCT / "channels", folder / "channels")
    (folder / "metrics").mkdir()
    _rewrite(PRODUCT / "metrics" / "queue_length.yaml", folder, {r"deadline_s: \d+": "deadline_s: 60"})
    limits = {r"stale_intervals: \S+": "stale_intervals: 0.3", r"doubtful_intervals: \S+": "doubtful_intervals: 1"}
    _rewrite(PRODUCT / "rules.yaml", folder, limits)
    return folder


def _rewrite(file: Path, folder: Path, changes: dict[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for pattern, new in changes.items():
        text, count = re.subn(pattern, new, text)
        assert count == 1, f"{file}: {pattern} stands there {count} times"
    (folder / file.relative_to(PRODUCT)).write_text(text, encoding="utf-8")


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("service")
    house = House(folder / "home", impatient(folder / "config"))
    yield house
    house.end()
