"""`python -m assets.build.maps [--config DIR] [--boundaries DIR]`: build a catalogue's maps, and say what was done."""

import argparse
import sys
from pathlib import Path

from assets.build.maps.build import build
from config.faults import CatalogueError
from config.loading import PRODUCT


def main(arguments: list[str]) -> int:
    """Build; 2 when plan, places or boundaries are wrong."""
    parser = argparse.ArgumentParser(prog="python -m assets.build.maps", description="Build the maps of a catalogue.")
    parser.add_argument(
        "--config", type=Path, default=PRODUCT, metavar="DIR", help="the catalogue (default: %(default)s)"
    )
    told = "where the files lie that its maps.yaml names (default: boundaries/ in the catalogue)"
    parser.add_argument("--boundaries", type=Path, metavar="DIR", help=told)
    asked = parser.parse_args(arguments)
    try:
        report = build(asked.config, asked.boundaries)
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(report.lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
