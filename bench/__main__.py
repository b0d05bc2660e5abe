"""`python -m bench [NAME]`: measure everything, or one thing; each figure is a line of JSON on standard output.

On a machine that does other things times are those of that machine; bytes and counts are not.
"""

import argparse
from collections.abc import Callable, Iterator

from bench import audit, glass, idle, interval, memory, pages, queries, screens, upsert
from bench.measurement import Measurement

BENCHES: dict[str, Callable[[], Iterator[Measurement]]] = {
    "audit_interval": audit.measure,
    "cpu_per_screen": screens.measure_cpu,
    "glass": glass.measure,
    "growth": interval.measure_growth,
    "idle": idle.measure,
    "interval_to_snapshot": interval.measure,
    "memory": memory.measure,
    "pages": pages.measure,
    "queries": queries.measure,
    "screens": screens.measure,
    "upsert": upsert.measure,
}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=tuple(BENCHES), help="all of them, unless named")
    asked = parser.parse_args()
    for name in [asked.name] if asked.name else BENCHES:
        for found in BENCHES[name]():
            print(found.line(), flush=True)


if __name__ == "__main__":
    main()
