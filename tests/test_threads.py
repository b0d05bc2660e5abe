"""Whoever works in threads says for which purpose: no call goes to a pool that everything shares."""

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from collectors.push.endpoint import APPENDS, BODIES_WAITING
from config.settings import ROOT
from dashboards.executors import Executors

ROOMS = (
    "access", "analysis", "assets", "collectors", "config", "dashboards", "data_quality", "metrics", "pipeline",
    "service", "store", "wording",
)  # fmt: skip
SHARED = {"to_thread", "run_in_threadpool", "run_in_executor", "run_sync"}
POOLS = {
    "access/executor.py": "the executors of the web process",
    "pipeline/flow/scheduler.py": "the executors of the pipeline",
    "pipeline/flow/storing.py": "one thread beside a turn, which ends with it",
}


def files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def names(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.name


def test_no_call_goes_to_the_threads_that_everything_shares() -> None:
    found = {f"{path.relative_to(ROOT)}: {name}" for path in files() for name in names(path) if name in SHARED}
    assert not found


def test_pools_of_threads_are_made_where_their_purpose_is_told() -> None:
    made = {str(path.relative_to(ROOT)) for path in files() if "ThreadPoolExecutor" in set(names(path))}
    assert made == set(POOLS)


def test_the_document_lists_every_executor_of_the_web_process() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    executors = [getattr(Executors(), field.name) for field in fields(Executors)]
    for executor in executors:
        assert f"| `{executor.name}` | {executor.threads} | {executor.waiting:,} |" in text
    assert f"| `parse` | 1 | {BODIES_WAITING} |" in text
    assert f"| `append` | {APPENDS} | {BODIES_WAITING} |" in text
