"""`python -m bench.hostile --count 20000`: hostile pushes and files against the real push endpoint and the real turn.

Half of them are pushes (HTTP, push endpoint, Valkey, stream consumer, store, audit), half are files
(turn, store, audit). Prints one JSON line; ends with 1 if anything
crashed, was answered 5xx, was refused without a name, or if something impossible was stored and nothing says so.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from tqdm import tqdm

from tests.support.hostile_files import files
from tests.support.hostile_pushes import pushes
from tests.support.hostile_world import Tally, audit_everything, file_trial, push_trial
from tests.support.push_world import TOKENS

DRAIN_EVERY = 100


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=2026)
    asked = parser.parse_args()
    os.environ |= {f"WATCHFLOOR_TOKEN_{name.upper()}": token for name, token in TOKENS.items()}
    begun = time.monotonic()
    half = asked.count // 2
    chance = Random(asked.seed)  # noqa: S311 - inputs of a measurement, not a secret
    tallies = {"pushes": _pushes(half, chance), "files": _files(asked.count - half, chance)}
    told = {"count": asked.count, "seed": asked.seed, "seconds": round(time.monotonic() - begun)}
    print(json.dumps(told | {name: _told(tally) for name, tally in tallies.items()}))
    for tally in tallies.values():
        for line in (*tally.crashes, *tally.unnamed, *tally.impossible)[:20]:
            print(line, file=sys.stderr)
    return int(any(_bad(tally) for tally in tallies.values()))


def _pushes(count: int, chance: Random) -> Tally:
    with tempfile.TemporaryDirectory() as folder, push_trial(Path(folder)) as trial:
        for number in tqdm(range(count), desc="pushes", disable=None):
            trial.push(pushes(chance, trial.dependencies.clock()))
            if number % DRAIN_EVERY == 0:
                trial.drained()
        trial.drained()
        audit_everything(trial.dependencies, trial.tally)
        return trial.tally


def _files(count: int, chance: Random) -> Tally:
    with tempfile.TemporaryDirectory() as folder, file_trial(Path(folder)) as trial:
        for _ in tqdm(range(count), desc="files", disable=None):
            trial.take(files(chance, trial.dependencies.clock()))
        audit_everything(trial.dependencies, trial.tally)
        return trial.tally


def _told(tally: Tally) -> dict[str, Any]:
    return {
        "answers": dict(tally.answers.most_common()),
        "faults_named": dict(tally.told.most_common()),
        "crashes": len(tally.crashes),
        "5xx": tally.server_errors,
        "refused_without_a_name": len(tally.unnamed),
        "rows_stored": tally.stored,
        "stored_impossible_with_finding": tally.doubted,
        "stored_impossible_without_finding": len(tally.impossible),
    }


def _bad(tally: Tally) -> bool:
    return bool(tally.crashes or tally.server_errors or tally.unnamed or tally.impossible)


if __name__ == "__main__":
    sys.exit(main())
