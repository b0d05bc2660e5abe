"""A process that writes, rolls and forgets without pause is killed at random instants; repeating mends what was cut."""

import os
import random
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import ROOT
from metrics.condensing import condensed
from metrics.intervals import buckets
from metrics.observations import Interval
from store.facts.duck import DuckHistory
from store.facts.tiers import TieredHistory
from tests.support.store_world import KEYS, contacts, minute, stamp, table, world
from tests.support.tiers_world import MANY, later, tiers

ROUNDS = 4
DAYS = Interval(minute(10 - 1440), minute(10 + 2 * 1440))


def step(history: TieredHistory, number: int) -> None:
    """One turn and one run of the jobs that can be told from its number alone; every third one writes late."""
    chance = random.Random(number)
    late = -chance.randrange(600) if number % 3 == 0 else 0
    first = 15 * number + late
    rows = [
        (measure, chance.choice(["110105", "120104"]), chance.choice(KEYS), minute(first + n), chance.randrange(9))
        for measure in ("offered", "queue", "longest_wait")
        for n in range(30)
    ]
    calls = [(f"call-{chance.randrange(9)}", "offered", "110106", "", minute(first + n), 1) for n in range(5)]
    history.write(stamp(number, "hotline", minute(15 * number)), table(rows))
    history.contribute(stamp(number, "chat", minute(15 * number)), contacts(calls))
    history.roll(minute(15 * number) + timedelta(hours=1), MANY)


def child() -> None:
    """Take steps until killed, telling each that is done."""
    number = int(sys.argv[2])
    with tiers(Path(sys.argv[1]), world(), lambda at, own: DuckHistory(at / "facts.duckdb", own)) as (history, _):
        while True:
            step(history, number)
            print(number, flush=True)
            number += 1


def start(folder: Path, number: int) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = "from tests.store.facts.test_tiers_killed import child; child()"
    return subprocess.Popen(
        [sys.executable, "-c", code, folder, str(number)], stdout=subprocess.PIPE, text=True, env=environment
    )


def assert_tiers_are_what_rows_say(history: TieredHistory) -> None:
    catalogue = world()
    for below, tier in zip(history.tiers, history.tiers[1:], strict=False):
        assert tier.size is not None
        starts = [bucket.start for bucket in buckets(DAYS, tier.size, catalogue.day)]
        for channel in catalogue.channels:
            rows = below.history.observations(DAYS, (channel,))
            wanted = condensed(rows, catalogue.measures, starts, tier.with_instants)
            held = tier.history.observations(DAYS, (channel,))[wanted.columns.tolist()]
            told = [
                sorted(one.astype(wanted.dtypes.to_dict()).itertuples(index=False, name=None)) for one in (wanted, held)
            ]
            assert told[0] == told[1]
            assert told[0]


@pytest.mark.timeout(300)
def test_a_kill_in_the_middle_of_rolling_is_mended_by_rolling_again(tmp_path: Path) -> None:
    chance = random.Random(11)
    done = 0
    for _ in range(ROUNDS):
        writer = start(tmp_path, done + 1)
        assert writer.stdout is not None
        for _ in range(chance.randrange(2, 5)):
            done = int(writer.stdout.readline())
        killer = threading.Timer(chance.uniform(0, 0.3), writer.send_signal, [signal.SIGKILL])
        killer.start()
        for line in writer.stdout:
            done = int(line)
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
        killer.join()
    with tiers(tmp_path, world(), lambda at, own: DuckHistory(at / "facts.duckdb", own)) as (history, _):
        step(history, done + 1)
        history.roll(later(5), MANY)
        assert_tiers_are_what_rows_say(history)
        assert history.roll(later(5), MANY).buckets == 0
    assert done > ROUNDS
