"""What several tests of collectors start."""

from collections.abc import Iterator

import pytest

from tests.support.json_interface import Interface, serving


@pytest.fixture
def server() -> Iterator[Interface]:
    """A JSON interface on loopback."""
    with serving() as interface:
        yield interface
