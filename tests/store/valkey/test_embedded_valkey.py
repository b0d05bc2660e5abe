import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from store.faults import StoreInUse, StoreNotStarted
from store.valkey.embedded import EmbeddedValkey

ORPHAN = """
import os, signal, sys
from pathlib import Path
import redis
from store.valkey.embedded import EmbeddedValkey
valkey = EmbeddedValkey(Path(sys.argv[1])).start()
redis.Redis.from_url(valkey.url).set("kept", "yes")
print(valkey.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def alive(pid: int) -> bool:
    """Whether it runs; one that ended but was not collected (by a container's first process) does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_data_survive_a_stop_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        pid = valkey.pid
        redis.Redis.from_url(valkey.url).set("kept", "yes")
    assert pid is not None
    assert not alive(pid)
    assert not valkey.socket.exists()
    with EmbeddedValkey(tmp_path) as again:
        assert redis.Redis.from_url(again.url).get("kept") == b"yes"


def test_an_orphan_of_a_killed_process_is_stopped_and_its_data_kept(tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", ORPHAN, tmp_path], capture_output=True, text=True, check=False)
    assert child.returncode == -signal.SIGKILL, child.stderr
    orphan = int(child.stdout)
    assert alive(orphan)
    with EmbeddedValkey(tmp_path) as valkey:
        assert not alive(orphan)
        assert redis.Redis.from_url(valkey.url).get("kept") == b"yes"


def test_a_stale_socket_and_pid_are_no_obstacle(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        redis.Redis.from_url(valkey.url).set("kept", "yes")
        os.kill(valkey.pid or 0, signal.SIGKILL)
        valkey._process.wait()  # type: ignore[union-attr]
        assert valkey.socket.exists()
        (tmp_path / "valkey.pid").write_text(str(os.getpid()))
        assert valkey.ensure()
        assert not valkey.ensure()
        assert redis.Redis.from_url(valkey.url).get("kept") == b"yes"


def test_a_cut_off_log_is_loaded_up_to_the_cut(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        client = redis.Redis.from_url(valkey.url)
        client.set("kept", "yes")
        client.set("lost", "x" * 100)
    log = next((tmp_path / "appendonlydir").glob("*.incr.aof"))
    os.truncate(log, log.stat().st_size - 40)
    with EmbeddedValkey(tmp_path) as again:
        assert redis.Redis.from_url(again.url).get("kept") == b"yes"


def test_one_folder_has_one_owner(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path), pytest.raises(StoreInUse, match="another data folder"):
        EmbeddedValkey(tmp_path).start()


def test_a_server_that_cannot_start_tells_why(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir(parents=True)
    (tmp_path / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(StoreNotStarted, match="manifest"):
        EmbeddedValkey(tmp_path).start()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / ("long" * 30)) as valkey:
        assert redis.Redis.from_url(valkey.url).ping()
        assert not str(valkey.socket).startswith(str(tmp_path))
    assert not valkey.socket.parent.exists()


def test_the_terminal_does_not_reach_it(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        assert os.getsid(valkey.pid or 0) != os.getsid(0)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_it_runs_without_root() -> None:
    script = """
import os, secrets, tempfile  # secrets now: redis-py asks for it late, and the library may be root's own
from pathlib import Path
from store.valkey.embedded import EmbeddedValkey
os.setgid(65534)
os.setuid(65534)
with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder) / "valkey") as valkey:
    print(Path(f"/proc/{valkey.pid}").stat().st_uid)
"""
    child = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert child.stdout == "65534\n", child.stderr
