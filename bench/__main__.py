"""`python -m bench [NAME]`: measure everything, or one thing; each figure is a line of JSON on standard output.

Each is measured in a process of its own, so that none finds the memory of another. On a machine that does other things
times are those of that machine; bytes and counts are not.
"""

import argparse
import subprocess
import sys
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
    if asked.name:
        for found in BENCHES[asked.name]():
            print(found.line(), flush=True)
        return
    failed = [name for name in BENCHES if _apart(name)]
    if failed:
        sys.exit(f"could not be measured: {', '.join(failed)}")


def _apart(name: str) -> int:
    """Measure one in a process of its own; gives its exit code, which says by its own message what failed."""
    return subprocess.run([sys.executable, "-m", "bench", name], check=False).returncode


if __name__ == "__main__":
    main()
