"""The order of the suite, and what no test may leave behind."""

import pytest
from hypothesis import settings

# No example is judged by the clock: a machine may be busy.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

pytest_plugins = ["tests.support.starting"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the room that starts whole products and waits for them, so that no core is idle at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/service/"))


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put back the folders that the command line names in the environment of its process."""
    for name in ("WATCHFLOOR_HOME_DIR", "WATCHFLOOR_CONFIG_DIR"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
