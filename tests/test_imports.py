"""The architecture as tests: who may import whom, what a kind of source brings along, and that imports do nothing."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from collectors import kinds, validate_options
from config.catalogue import Channel, Source
from config.settings import ROOT

ROOMS = ("config", "metrics", "collectors", "data_quality", "store", "pipeline", "dashboards", "simulator", "assets")
CASES = 4
QUIET = """
import importlib, pathlib, pkgutil, socket, subprocess, sys, threading

def forbidden(*arguments, **more):
    raise AssertionError("an import touches the world")

subprocess.Popen.__init__ = socket.socket.connect = socket.socket.bind = forbidden
names = sorted(
    module.name
    for room in sys.argv[1:]
    for module in pkgutil.walk_packages([room], room + ".")
    if not module.name.endswith("__main__") and ".migrations" not in module.name
)
for name in names:
    importlib.import_module(name)
importlib.import_module("app")
print(len(names), [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()])
"""


def test_imports_go_one_way() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    kept = re.search(r"Contracts: (\d+) kept, (\d+) broken", done.stdout)
    assert kept is not None, done.stdout + done.stderr
    assert (int(kept[1]) > 5, int(kept[2]), done.returncode) == (True, 0, 0), done.stdout


def test_importing_every_module_starts_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", QUIET, *ROOMS], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    count, threads = done.stdout.split(" ", 1)
    assert int(count) > 150
    assert threads == "[]\n"


def test_there_are_kinds_and_the_contract_names_each() -> None:
    contracts = (ROOT / ".importlinter").read_text(encoding="utf-8")
    assert len(kinds()) >= 5
    assert [kind for kind in kinds() if f"    collectors.{kind}\n" not in contracts] == []


@pytest.mark.parametrize("kind", kinds())
def test_a_kind_brings_its_readme_a_sample_that_is_valid_and_its_testcases(kind: str) -> None:
    folder = ROOT / "collectors" / kind
    assert (folder / "README.md").read_text(encoding="utf-8").startswith(f"# {kind}")
    sample = yaml.safe_load((folder / "sample.yaml").read_text(encoding="utf-8"))
    # A sample is a channel, or one source of a channel.
    sources = Channel.model_validate(sample).sources if "sources" in sample else (Source.model_validate(sample),)
    assert {source.kind for source in sources} == {kind}
    for source in sources:
        validate_options(source)
    cases = [case for case in (folder / "testcases").iterdir() if case.is_dir()]
    assert len(cases) >= CASES, f"{kind} has {len(cases)} cases"
    assert [case.name for case in cases if len(list(Path(case).iterdir())) < 2] == []
