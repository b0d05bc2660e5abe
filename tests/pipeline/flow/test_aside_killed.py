"""A body goes from the stream to what is kept aside whoever is killed in between: once, with one finding."""

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from config.settings import ROOT
from store.ingest.stream import Ingest
from store.state.aside import AsideKind
from store.valkey.embedded import EmbeddedValkey
from tests.support.aside_world import POISON, aside_world
from tests.support.dying_consumer import ONE_TRY, POINTS
from tests.support.pipeline_world import NOON


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(("channel", "kind"), [("desk", AsideKind.GIVEN_UP), ("fax", AsideKind.CHANNEL_GONE)])
def test_who_is_killed_between_keeping_and_letting_go_does_it_again_and_changes_nothing(
    tmp_path: Path, point: str, channel: str, kind: AsideKind
) -> None:
    home = tmp_path / "home"
    with EmbeddedValkey(tmp_path / "valkey") as valkey:
        with closing(Ingest(valkey.url)) as sender:
            batch = sender.append(channel, "counts", "k", POISON, NOON).id
        command = [sys.executable, "-m", "tests.support.dying_consumer", str(home), valkey.url, point]
        assert subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode == -signal.SIGKILL
        with aside_world(home, valkey.url, ONE_TRY) as world:
            [kept] = world.kept()
            assert (kept.kind, kept.batch, world.ingest.waiting()) == (kind, batch, 1)
            assert world.dependencies.state.aside.data(kept.id) == POISON
            world.drained()
            assert world.kept() == [kept]
            assert world.dependencies.state.aside.data(kept.id) == POISON
            assert [(one.bad, one.facts["batch"]) for one in world.findings()] == [(1, batch)]
