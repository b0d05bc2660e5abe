"""Read an answer: bytes to text, JSON to records; and hear what the source says went wrong."""

from typing import Any

from collectors.http_json.options import InBandErrors
from collectors.shared.record_fields import Unfit, find_all, shown, text
from metrics.observations import SourceFault

CHINESE = frozenset({"gbk", "gb2312", "gb18030", "cp936"})


def decode(body: bytes, charset: str | None) -> str:
    """Decode an answer as UTF-8, or as GB18030 where it says so; raises SourceFault `unreadable`."""
    try:
        return body.decode("gb18030" if (charset or "").lower() in CHINESE else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceFault("unreadable", f"byte {error.start + 1} of the answer is not {error.encoding}") from error


def records_in(document: Any, path: str) -> list[Any]:
    """The records of an answer: the items of the list (or lists) at `path`, or the object there.

    An empty list is an answer; that there is no list at all is a fault, or an outage would look like a quiet night.
    """
    place = path.removesuffix("[*]") or "$"
    found = find_all(document, place)
    if found and all(isinstance(part, list) for part in found):
        return [record for part in found for record in part]
    if found and place == path and all(isinstance(part, dict) for part in found):
        return found
    raise SourceFault("unreadable", f"the answer has no list of records at {path!r}")


def error_code(document: Any, errors: InBandErrors | None) -> str:
    """The source's own error code where it says one that is not success, else ''."""
    if errors is None or not isinstance(document, dict):
        return ""
    try:
        code = text(document, errors.code)
    except Unfit as unfit:
        raise SourceFault("unreadable", f"the error code at {errors.code!r} is {unfit.value}") from unfit
    return "" if code in errors.ok else code


def source_words(document: Any, code: str, errors: InBandErrors) -> str:
    """What the source says of an error, as one line for people."""
    try:
        words = "" if errors.words is None else text(document, errors.words)
    except Unfit as unfit:
        words = unfit.value
    return shown(f"the source answers {errors.code} {code}" + (f": {words}" if words else ""))
