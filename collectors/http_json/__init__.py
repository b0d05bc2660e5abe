"""A JSON interface polled over HTTP(S); README.md says what is asked, held and given."""

import logging

from collectors import Collector, Plan
from collectors.http_json.collector import HttpJsonCollector
from collectors.http_json.options import Options

__all__ = ["Options", "build"]


def build(plan: Plan) -> Collector:
    """Make the collector; raises ValueError where its map names what the catalogue does not know.

    The HTTP client logs whole addresses, query secrets included, at level INFO and headers at DEBUG: it may only warn.
    """
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return HttpJsonCollector(plan)
