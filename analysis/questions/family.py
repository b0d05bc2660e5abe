"""All that can be asked of the process that owns the facts, and what comes back: a small closed family.

Each has one form as JSON, so that it can be asked in this process or of another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from analysis.questions.answer import Answer, Row
from analysis.questions.faults import CannotAnswer
from analysis.questions.question import Question, moment_text, taken_span
from metrics.observations import Interval

Language = Literal["zh", "en"]
LONGEST_LIMIT = 6
"""Digits."""


@dataclass(frozen=True)
class AuditQuestion:
    """Every finding of a span, judged anew, as sentences in a language."""

    span: Interval
    language: Language = "en"

    def to_parameters(self) -> dict[str, str]:
        """As `Question.to_parameters`."""
        return {"from": moment_text(self.span.start), "to": moment_text(self.span.end), "language": self.language}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> "AuditQuestion":
        """As `Question.from_parameters`."""
        given = dict(parameters)
        span = taken_span(given)
        language = given.pop("language", "en")
        if given or (language != "zh" and language != "en"):
            raise CannotAnswer(f"an audit has from, to and language zh or en, not {[*given, language]}")
        return cls(span, "zh" if language == "zh" else "en")


@dataclass(frozen=True)
class SourcesQuestion:
    """Where each source stands: last success, age, lag, error."""

    def to_parameters(self) -> dict[str, str]:
        """Nothing is to be said."""
        return {}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> "SourcesQuestion":
        """Nothing is to be read."""
        return cls()


@dataclass(frozen=True)
class StorageQuestion:
    """What each tier of facts holds and costs."""

    def to_parameters(self) -> dict[str, str]:
        """Nothing is to be said."""
        return {}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> "StorageQuestion":
        """Nothing is to be read."""
        return cls()


@dataclass(frozen=True)
class AsideQuestion:
    """What was kept aside, newest first."""

    channel: str | None = None
    received: Interval | None = None
    """When it came; None: whenever."""
    kinds: tuple[str, ...] = ()
    """None named: all."""
    limit: int = 1000

    def to_parameters(self) -> dict[str, str]:
        """As `Question.to_parameters`."""
        parameters = {"limit": str(self.limit)}
        if self.channel is not None:
            parameters["channel"] = self.channel
        if self.received is not None:
            parameters |= {"from": moment_text(self.received.start), "to": moment_text(self.received.end)}
        return parameters | ({"kinds": ",".join(self.kinds)} if self.kinds else {})

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> "AsideQuestion":
        """As `Question.from_parameters`."""
        given = dict(parameters)
        received = taken_span(given) if "from" in given or "to" in given else None
        channel, kinds, limit = given.pop("channel", None), given.pop("kinds", ""), given.pop("limit", "1000")
        if given or not limit.isdecimal() or len(limit) > LONGEST_LIMIT:
            raise CannotAnswer("what was kept aside is asked for by channel, from, to, kinds and a whole limit")
        return cls(channel, received, tuple(filter(None, kinds.split(","))), int(limit))


@dataclass(frozen=True)
class AsideShowQuestion:
    """All that is known of one thing that was kept aside, but its contents."""

    id: str

    def to_parameters(self) -> dict[str, str]:
        """As `Question.to_parameters`."""
        return {"id": self.id}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> "AsideShowQuestion":
        """As `Question.from_parameters`."""
        if parameters.keys() != {"id"}:
            raise CannotAnswer("one thing that was kept aside is asked for by its id alone")
        return cls(parameters["id"])


Listed = AuditQuestion | SourcesQuestion | StorageQuestion | AsideQuestion | AsideShowQuestion
"""What is answered by a listing."""
AnyQuestion = Question | Listed
KINDS: dict[str, type[AnyQuestion]] = {
    "figures": Question,
    "audit": AuditQuestion,
    "sources": SourcesQuestion,
    "storage": StorageQuestion,
    "aside": AsideQuestion,
    "aside_show": AsideShowQuestion,
}


@dataclass(frozen=True)
class Listing:
    """Rows for people and machines; times may be texts, if they come from another process."""

    listed: tuple[Row, ...]
    more: bool = False
    """Whether a limit left some out."""

    def rows(self) -> list[Row]:
        """As `Answer.rows`."""
        return list(self.listed)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads back, of JSON's own types."""
        return {"rows": _plain(list(self.listed)), "more": self.more}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Listing":
        """The listing that `to_json` wrote."""
        return cls(tuple(content["rows"]), bool(content["more"]))


AnyAnswer = Answer | Listing


def question_to_json(question: AnyQuestion) -> dict[str, Any]:
    """A question of any kind, of JSON's own types."""
    kind = next(name for name, made in KINDS.items() if type(question) is made)
    return {"ask": kind, "parameters": question.to_parameters()}


def question_from_json(content: Mapping[str, Any]) -> AnyQuestion:
    """The question that `question_to_json` wrote; raises CannotAnswer."""
    kind, parameters = content.get("ask"), content.get("parameters")
    if kind not in KINDS or not isinstance(parameters, dict):
        raise CannotAnswer(f"there is nothing to ask of kind {kind!r}; there are {', '.join(KINDS)}")
    if not all(isinstance(text, str) for text in parameters.values()):
        raise CannotAnswer("every parameter is a text")
    return KINDS[kind].from_parameters(parameters)


def answer_from_json(question: AnyQuestion, content: dict[str, Any]) -> AnyAnswer:
    """What was answered to a question."""
    return Answer.from_json(content) if isinstance(question, Question) else Listing.from_json(content)


def _plain(cell: Any) -> Any:
    """A cell of JSON's own types, however deep."""
    if isinstance(cell, dict):
        return {name: _plain(part) for name, part in cell.items()}
    if isinstance(cell, list | tuple):
        return [_plain(part) for part in cell]
    return cell.isoformat() if isinstance(cell, datetime) else cell
