"""What the tests in a browser start."""

from tests.support.browsers import browser, page, site

__all__ = ["browser", "page", "site"]
