"""YAML as configuration needs it: UTF-8, one mapping a file, and no key twice.

PyYAML keeps the last of two equal keys in silence, and that loses a definition without a word.
"""

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, ScalarNode

try:
    from yaml import CSafeLoader as Parser
except ImportError:  # PyYAML built without libyaml: the same result, ten times slower.
    from yaml import SafeLoader as Parser


class Unreadable(ValueError):
    """A file that cannot be read as a mapping: `key` (may be '') and reason."""

    def __init__(self, key: str, reason: str) -> None:
        self.key = key
        super().__init__(reason)


class _StrictLoader(Parser):  # type: ignore[misc]  # PyYAML ships no types
    """A safe loader that refuses a key written twice in one mapping."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key in (key for key, _ in node.value if isinstance(key, ScalarNode)):
            line = key.start_mark.line + 1
            if key.value in seen:
                raise ConstructorError(
                    None, None, f"key {key.value!r} is here and on line {seen[key.value]}", key.start_mark
                )
            seen[key.value] = line
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds; raises Unreadable."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - _StrictLoader is a safe loader
    except OSError as error:
        raise Unreadable("", f"cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise Unreadable("", f"is not UTF-8 (byte {error.start}: {error.reason}); save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise Unreadable(line, f"is not good YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: such as 2026-02-30, which is no date
        raise Unreadable("", f"is not good YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Unreadable("", f"must hold `key: value` lines, not a {type(content).__name__}")
    return content
