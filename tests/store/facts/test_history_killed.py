"""A process that writes without pause is killed at random instants; what it left is what was committed."""

import os
import random
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from config.settings import ROOT
from store.facts.duck import DuckHistory
from store.faults import StoreInUse
from tests.support.steady_writer import shown, step
from tests.support.store_reference import ReferenceHistory
from tests.support.store_world import hour, minute, stamp, table, world

ROUNDS = 6


def child() -> None:
    """Write steps until killed, telling each that is done."""
    with closing(DuckHistory(Path(sys.argv[1]) / "facts.duckdb", world())) as history:
        number = int(sys.argv[2])
        while True:
            step(history, number)
            print(number, flush=True)
            number += 1


def start(folder: Path, number: int) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = "from tests.store.facts.test_history_killed import child; child()"
    return subprocess.Popen(
        [sys.executable, "-c", code, folder, str(number)], stdout=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.timeout(300)
def test_a_kill_at_any_instant_loses_nothing_and_a_replay_mends_the_rest(tmp_path: Path) -> None:
    chance = random.Random(7)
    done = 0
    for _ in range(ROUNDS):
        writer = start(tmp_path, done + 1)
        assert writer.stdout is not None
        done = int(writer.stdout.readline())
        killer = threading.Timer(chance.uniform(0, 0.3), writer.send_signal, [signal.SIGKILL])
        killer.start()
        for line in writer.stdout:
            done = int(line)
        writer.stdout.close()
        assert writer.wait() == -signal.SIGKILL
        killer.join()
    reference = ReferenceHistory(world())
    for number in range(1, done + 1):
        step(reference, number)
    with closing(DuckHistory(tmp_path / "facts.duckdb", world())) as history:
        # The step under way when the last kill came may be there in part: the pipeline would repeat it.
        step(history, done + 1)
        step(reference, done + 1)
        assert shown(history) == reference.shown()
        for number in range(max(1, done - 20), done + 2):
            step(history, number)
        assert shown(history) == reference.shown()


def test_a_file_that_is_held_names_its_holder(tmp_path: Path) -> None:
    writer = start(tmp_path, 1)
    assert writer.stdout is not None
    writer.stdout.readline()
    try:
        with pytest.raises(StoreInUse, match=rf"process {writer.pid} .*stop that one"):
            DuckHistory(tmp_path / "facts.duckdb", world())
    finally:
        writer.kill()
        writer.stdout.close()
        writer.wait()


def test_threads_read_while_one_writes(tmp_path: Path) -> None:
    """A reader sees a whole batch or none of it, and an unread result blocks nobody."""
    with closing(DuckHistory(tmp_path / "facts.duckdb", world())) as history:
        ended, odd = threading.Event(), []

        def read() -> None:
            while not ended.is_set():
                rows = history.observations(hour())
                if len(rows) not in (0, 40) or rows["value"].nunique() > 1:
                    odd.append(rows)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for revision in range(1, 30):
            history.write(stamp(revision), table([("offered", "110105", "", minute(n), revision) for n in range(40)]))
        ended.set()
        for reader in readers:
            reader.join()
        assert odd == []
        assert isinstance(history.observations(hour()), pd.DataFrame)
