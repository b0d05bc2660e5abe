"""A finding as a sentence that a supervisor can read: what, where, since when, how many.

The words are `finding.<rule>` (or, by state and kind, `finding.pass` and its like) in `config/words/rules.yaml`; this
fills their places. Pure: the same finding always says the same.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from config.catalogue import Catalogue, Text
from metrics.findings import CheckState, Finding

Language = Literal["zh", "en"]
NAMED = 3
"""Names or lines that a sentence tells before it only counts."""


def sentence(finding: Finding, catalogue: Catalogue, language: Language) -> str:
    """Say a finding in one language."""
    return SentenceWriter(catalogue, language).say(finding)


class SentenceWriter:
    """A catalogue's words and names in one language."""

    def __init__(self, catalogue: Catalogue, language: Language) -> None:
        self.catalogue, self.language = catalogue, language
        self.zone = ZoneInfo(catalogue.day.zone)

    def say(self, finding: Finding) -> str:
        """The sentence of a finding."""
        facts = {name: self._figure(value) for name, value in finding.facts.items()}
        return self._words(
            self._key(finding),
            **facts
            | {
                "subject": self._subject(finding),
                "rule": self._words(f"rule.{finding.rule}"),
                "measure": self._measures(finding),
                "first": self._first(finding),
                "bad": self._figure(finding.bad),
                "expected": self._figure(finding.expected),
                "since": self._time(finding.start),
                "lines": self._lines(finding),
                "say": self._expectation(finding),
                "reason": self._known("reject", _code(finding)),
                "cause": self._cause(finding),
                "root": self._known("rule", str(finding.facts.get("root", ""))),
            },
        )

    def _key(self, finding: Finding) -> str:
        """Which words tell a finding: its state's, or for failures those of its kind."""
        if finding.state not in (CheckState.FAIL, CheckState.QUERY):
            return f"finding.{finding.state.value}"
        if _code(finding):
            return "finding.rejects"
        if finding.rows and "line" in finding.rows[0]:
            return "finding.rows"
        return f"finding.{finding.rule}"

    def _words(self, key: str, **filled: str) -> str:
        return self._of(self.catalogue.words[key]).format(**filled)

    def _of(self, text: Text) -> str:
        return text.zh if self.language == "zh" else text.en

    def _known(self, family: str, name: str) -> str:
        """The words of a code; the code itself where nobody has given it words."""
        text = self.catalogue.words.get(f"{family}.{name}")
        return self._of(text) if text is not None else name

    def _subject(self, finding: Finding) -> str:
        """Channel, source and place, as far as the finding names them."""
        channel = self.catalogue.channels.get(finding.channel)
        parts = [
            self._of(channel.name) if channel is not None else finding.channel,
            finding.source,
            self._place(finding.region),
        ]
        return self._words("sentence.within").join(part for part in parts if part)

    def _place(self, code: str) -> str:
        region = self.catalogue.regions.get(code)
        return self._of(region.name) if region is not None else code

    def _measures(self, finding: Finding) -> str:
        """The measure, or those that failed together; all where none is named."""
        names = str(finding.facts.get("measures") or finding.measure)
        if not names:
            return self._words("sentence.all_figures")
        known = self.catalogue.measures
        named = [self._of(known[name].name) if name in known else name for name in names.split(",")]
        return self._list(named, len(named))

    def _first(self, finding: Finding) -> str:
        """The places concerned, the first by name."""
        place = finding.facts.get("place")
        if place is None:
            return self._place(finding.region)
        return self._list([self._place(str(place))], int(finding.facts.get("places", 1)))

    def _lines(self, finding: Finding) -> str:
        lines = [str(row["line"]) for row in finding.rows if row.get("line") is not None]
        return self._list(lines, len(lines)) if lines else self._words("sentence.no_line")

    def _expectation(self, finding: Finding) -> str:
        """What the channel's configuration says of the rows that a finding is about."""
        channel = self.catalogue.channels.get(finding.channel)
        expected = [
            self._of(one.say)
            for source in (channel.sources if channel is not None else ())
            if source.id == finding.source
            for one in source.expects
            if (one.rule, one.column) == (finding.rule, finding.measure)
        ]
        return self._words("sentence.and").join(dict.fromkeys(expected))

    def _cause(self, finding: Finding) -> str:
        """What a source failed with, where it said."""
        error = str(finding.facts.get("error", ""))
        return self._words("sentence.cause", fault=self._known("fault", error)) if error else ""

    def _list(self, names: Iterable[str], count: int) -> str:
        """A few names, then how many there are."""
        told = list(names)[:NAMED]
        listed = self._words("sentence.and").join(told)
        return listed if count <= len(told) else self._words("sentence.more", listed=listed, count=self._figure(count))

    def _time(self, moment: datetime | None) -> str:
        if moment is None:
            return self._words("sentence.no_time")
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def _figure(self, value: str | float) -> str:
        return value if isinstance(value, str) else f"{value:,.6g}"


def _code(finding: Finding) -> str:
    """Why records were refused, as a code; '' where a finding is about something else."""
    return str(finding.facts.get("code", ""))
