"""The real product as its operator starts it: a process with a home folder, a screen that watches it, its end."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from config.settings import ROOT
from wording.words import DASH

Shown = dict[str, dict[str, Any]]
"""What a screen shows: element id -> part -> value."""
ADDRESS = re.compile(r"Watchfloor is at (http://\S+)/ ")
STARTED_S, ENDED_S = 120, 120
SCALE = "0.1"


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Everything that decides how the product starts; nothing of the machine's own settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("WATCHFLOOR_")}
    chosen = {"home_dir": str(home), "port": "0", "demo_scale": SCALE, **settings}
    return inherited | {f"WATCHFLOOR_{name.upper()}": value for name, value in chosen.items()}


def start_and_end(home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start the product where it cannot stay."""
    return subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=STARTED_S,
        check=False,
    )


class Product:
    """One run of `app.py`, in a process group of its own as a shell would give it."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home, self._environment = home, environment(home, **settings)
        self.cookies: dict[str, str] = {}
        self._errors = home.with_name(f"{home.name}-errors-{time.time_ns()}.txt")
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"],
                cwd=ROOT,
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self._said: queue.Queue[str] = queue.Queue()
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        self.url = self._await_address()

    @property
    def errors(self) -> str:
        """What it has written to standard error so far."""
        return self._errors.read_text(encoding="utf-8")

    def health(self) -> httpx.Response:
        return httpx.get(f"{self.url}/health", trust_env=False, timeout=10)

    def signal(self, number: signal.Signals) -> int:
        """Signal its process group, as the terminal does with Ctrl-C; gives the exit code, in `ENDED_S` at most."""
        os.killpg(self.process.pid, number)
        try:
            code = self.process.wait(ENDED_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise
        self._listening.join(ENDED_S)
        return code

    def end(self) -> None:
        """End it in good order if it has not ended yet."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)

    def screen(self, topic: str, holds: Callable[[Shown], bool], patience_s: float = 60) -> Shown:
        """Watch a view as a page does, until something holds of what it shows."""
        until, shown = time.monotonic() + patience_s, Shown()
        for frame in self._frames(topic):
            if frame["full"]:
                shown = {}
            for element, parts in frame["set"].items():
                shown.setdefault(element, {}).update(parts)
            if holds(shown):
                return shown
            if time.monotonic() > until:
                break
        raise AssertionError(
            f"{topic} did not come to show it in {patience_s} s:\n{told(shown)}\n{self.errors[-3000:]}"
        )

    def ask(self, *arguments: str) -> Any:
        """What the command line answers in JSON to what `./watchfloor` takes."""
        return self.command("service.commands", *arguments, "--format", "json")

    def command(self, module: str, *arguments: str) -> Any:
        """Run `python -m <module> --home …`; gives the JSON that it prints."""
        done = subprocess.run(
            [sys.executable, "-m", module, "--home", str(self.home), *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def trouble(self, system: str, kind: str, *more: str) -> None:
        """Let one of the simulated systems misbehave; `--off` ends it."""
        self.command("simulator.control", "trouble", system, kind, *more)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(line)
        self.process.stdout.close()
        self._said.put("")

    def _await_address(self) -> str:
        until = time.monotonic() + STARTED_S
        while line := self._said.get(timeout=max(0.1, until - time.monotonic())):
            if found := ADDRESS.search(line):
                return found[1]
        raise AssertionError(f"it ended with {self.process.wait(5)}:\n{self.errors}")

    def _frames(self, topic: str) -> Iterator[dict[str, Any]]:
        plain = {"Accept-Encoding": "identity"}
        opened = httpx.Client(headers=plain, cookies=self.cookies, trust_env=False, timeout=40)
        with opened, opened.stream("GET", f"{self.url}/live/{topic}") as stream:
            assert stream.status_code == 200, stream.status_code
            for line in stream.iter_lines():
                if line.startswith("data:") and "set" in (event := json.loads(line[5:])):
                    yield event


class Silent(Product):
    """A part without an address: nobody can look at it but by what it publishes."""

    def _await_address(self) -> str:
        return ""


class House:
    """One home folder and whoever runs in it; a test asks for the way it needs it to run."""

    def __init__(self, home: Path, config: Path) -> None:
        self.home, self.config = home, config
        self.product: Product | None = None
        self._demo = True

    def running(self, demo: bool = True) -> Product:
        """The product, up and with a first snapshot; started anew only if it does not run that way already."""
        if self.product is None or self.product.process.poll() is not None or self._demo != demo:
            self.end()
            self._demo = demo
            self.product = Product(self.home, demo=str(int(demo)), config_dir=str(self.config))
        return self.product

    def end(self) -> None:
        """End what runs, whatever it takes."""
        if self.product is not None:
            self.product.end()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def processes(self, name: str = "") -> list[int]:
        """Processes besides the product's own that work in this home, or those of them whose command holds a name."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(self.home) in command and name.encode() in command:
                found.append(int(folder.name))
        return found


def told(shown: Shown) -> str:
    """What a screen shows, for users."""
    names = (".value", ".state", ".trust", ".reason", ".lag", ".error", ".rule", ".told")
    kept = {element: [str(parts[name]) for name in names if parts.get(name)] for element, parts in shown.items()}
    return "\n".join(f"{element}: {', '.join(texts)}" for element, texts in kept.items() if texts)


def has_figure(shown: Shown) -> bool:
    return any(name.startswith("tile-") and parts.get(".value") not in (None, DASH) for name, parts in shown.items())
