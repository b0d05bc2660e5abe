"""What has been read of a catalogue so far: nouns, the file of each, and every fault met.

A noun that is faulty keeps its place by name, so that one mistake is told once and not again by
everything that refers to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field, ValidationError

from config.catalogue import Channel, Measure, Metric, Noun, Region, Role, Sketch, Text
from config.faults import Fault
from config.strict_yaml import Unreadable, read_mapping

N = TypeVar("N", bound=BaseModel)

REASONS = {"extra_forbidden": "unknown key", "missing": "is missing"}
"""Plainer words for what pydantic says most often."""


class Dimension(Noun):
    """An entry of `dimensions.yaml`: a name, and names for the codes that are known, or how fine its bands are."""

    name: Text
    codes: dict[str, Text] = Field(default_factory=dict)
    accuracy: float | None = Field(default=None, ge=0.005, le=0.1)
    """Given: the values are bands of a quantity, which lie no further from it than this share."""


@dataclass
class Section(Generic[N]):
    """The nouns of one kind by id, and the file in which each stands."""

    nouns: dict[str, N] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    whole: bool = True
    """False when a file could not be read: then nobody can say that a name is unknown."""

    def lacks(self, name: str) -> bool:
        """Whether nothing of that name was written anywhere."""
        return self.whole and name not in self.files

    def fault(self, name: str, key: str, reason: str) -> Fault:
        """A fault of a noun on this section."""
        return Fault(self.files[name], key, reason)


@dataclass
class Draft:
    """A catalogue in the making."""

    measures: Section[Measure] = field(default_factory=Section)
    metrics: Section[Metric] = field(default_factory=Section)
    sketches: Section[Sketch] = field(default_factory=Section)
    channels: Section[Channel] = field(default_factory=Section)
    regions: Section[Region] = field(default_factory=Section)
    dimensions: Section[Dimension] = field(default_factory=Section)
    roles: Section[Role] = field(default_factory=Section)
    words: Section[Text] = field(default_factory=Section)
    faults: list[Fault] = field(default_factory=list)

    def read(self, path: Path) -> dict[str, Any] | None:
        """The mapping in a YAML file; None, with a fault, where it cannot be read."""
        try:
            return read_mapping(path)
        except Unreadable as error:
            self.faults.append(Fault(path, error.key, str(error)))
            return None

    def make(self, model: type[N], content: object, file: Path, key: str = "") -> N | None:
        """One noun from what a file says; None, with a fault for each wrong key, where it is not good."""
        try:
            return model.model_validate(content)
        except ValidationError as error:
            self.faults.extend(validation_faults(error, file, key))
            return None

    def put(self, section: Section[N], name: str, model: type[N], content: object, file: Path, key: str = "") -> None:
        """Make a noun and keep it under its name, in place of an earlier one of that name."""
        section.files[name] = file
        noun = self.make(model, content, file, key)
        if noun is not None:
            section.nouns[name] = noun


def validation_faults(error: ValidationError, file: Path, key: str = "") -> Iterator[Fault]:
    """A fault for every key that pydantic refuses."""
    for detail in error.errors(include_url=False):
        path = ".".join([key, *map(str, detail["loc"])] if key else map(str, detail["loc"]))
        reason = REASONS.get(detail["type"], detail["msg"].removeprefix("Value error, "))
        given = detail["input"]
        if detail["type"] not in REASONS and isinstance(given, (str, int, float)) and repr(given) not in reason:
            reason += f" (it is {str(given)[:80]!r})" if isinstance(given, str) else f" (it is {given})"
        yield Fault(file, path, reason)
