"""What the service hands to collectors, as tests have it: secrets of the environment, and the data folder it names."""

from pathlib import Path

from collectors import Installation
from config.settings import Settings
from service.sources import from_environment


def installation(key: bytes = b"key", home: Path | None = None) -> Installation:
    return Installation(key, home or Settings().home_dir, from_environment)
