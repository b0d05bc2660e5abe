"""The stamp of a batch as an engine holds it: codes for names, seconds for times."""

from dataclasses import dataclass

from config.catalogue import Catalogue
from store.facts.history import BatchStamp
from store.facts.shared.seconds import second


@dataclass(frozen=True)
class CodedStamp:
    """What the rows of a batch have in common."""

    channel: int
    batch: int | str
    """A code, or the batch's name where the engine gives batches no codes."""
    revision: int
    received_at: int
    interval_s: int
    """Length of the channel's intervals: `Written.touched` ends one after the last start."""

    @classmethod
    def of(cls, stamp: BatchStamp, channel: int, batch: int | str, catalogue: Catalogue) -> "CodedStamp":
        """A stamp whose channel has this code and whose batch is known by this code or name."""
        interval_s = catalogue.channels[stamp.channel].interval_s
        return cls(channel, batch, stamp.revision, second(stamp.received_at), interval_s)
