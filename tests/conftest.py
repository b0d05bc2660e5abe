"""The order of the suite."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the room that starts whole products and waits for them, so that no core is idle at the end."""
    items.sort(key=lambda item: item.path.parent.name != "service")
