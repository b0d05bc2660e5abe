"""What the audit says: one finding is one sentence a supervisor can read."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class CheckState(StrEnum):
    """Outcome of a check; ERROR and BLOCKED never count as passed."""

    PASS = "pass"
    FAIL = "fail"
    QUERY = "query"
    ERROR = "error"
    BLOCKED = "blocked"
    NA = "na"


class Finding(NamedTuple):
    """What, where, since when, how many, and the rows.

    A tuple, because an audit makes thousands of them a minute: a frozen dataclass takes four times as long to make.
    """

    rule: str
    """Such as `AC-03`; its name and sentence are the words `rule.AC-03` and `finding.AC-03`."""
    state: CheckState
    channel: str
    source: str = ""
    region: str = ""
    measure: str = ""
    start: datetime | None = None
    end: datetime | None = None
    bad: int = 0
    expected: int = 0
    """Units looked at: bad / expected is the rate that the score uses."""
    facts: Mapping[str, str | float | int] = MappingProxyType({})
    """Numbers and names that the sentence shows."""
    rows: tuple[Mapping[str, str | float | int | None], ...] = ()
    """The rows behind it (line, column, value, …); all of them where the rule is about rows."""
    batch: str = ""
    about_rows: bool = False
    """Whether it is about the rows of batches as their source gave them; otherwise it is about stored figures."""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What makes two findings the same trouble going on, among those about rows or those about figures."""
        return (self.rule, self.channel, self.source, self.region, self.measure)
