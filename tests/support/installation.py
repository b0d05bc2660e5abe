"""What the service hands to collectors, as tests have it: secrets of the environment, and no data folder."""

from pathlib import Path

from collectors import Installation
from service.sources import from_environment


def installation(key: bytes = b"key", home: Path = Path("no such folder")) -> Installation:
    return Installation(key, home, from_environment)
