"""What names a person is replaced by a keyed hash before anything else sees or keeps it."""

import re
from typing import Any

from collectors.shared.pseudonyms import pseudonym
from collectors.shared.record_fields import Repeated
from collectors.shared.record_map import RecordMap, scalar_text

PSEUDONYM = re.compile(r"p:[0-9a-f]{64}")


def personal_names(personal: tuple[str, ...], *maps: RecordMap) -> frozenset[str]:
    """Names of the keys that must not pass: those that the options list, and contacts that name a person."""
    contacts = (rules.contact for rules in maps)
    return frozenset(personal) | {rule.field for rule in contacts if rule is not None and rule.pseudonymise}


def without_persons(document: Any, names: frozenset[str], key: bytes) -> Any:
    """The document with the values of these keys, at any depth, as `p:` and their pseudonym.

    A pseudonym stays as it is, so that a kept payload can pass here again.
    """
    if isinstance(document, dict):
        return {
            name: _hidden(part, key) if name in names else without_persons(part, names, key)
            for name, part in document.items()
        }
    if isinstance(document, list):
        return [without_persons(part, names, key) for part in document]
    return (
        Repeated(without_persons(part, names, key) for part in document) if isinstance(document, Repeated) else document
    )


def _hidden(value: Any, key: bytes) -> Any:
    if isinstance(value, dict):
        return {name: _hidden(part, key) for name, part in value.items()}
    if isinstance(value, Repeated):
        return Repeated(_hidden(part, key) for part in value)
    if isinstance(value, list):
        return [_hidden(part, key) for part in value]
    text = scalar_text(value)
    if not text or PSEUDONYM.fullmatch(text):
        return value
    return "p:" + pseudonym(key, text.encode("utf-8", "replace").decode())
