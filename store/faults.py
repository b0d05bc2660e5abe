"""What may go wrong with a store although nobody has made a mistake in the program: one family, told apart by kind.

Facts, state, Valkey, the payloads' folder and the job queue all fail in these ways, so whoever calls needs to know
none of their libraries. Anything else that a store raises is a bug.

- Not `permanent`: of this call nothing is stored, or all of it. Keep what you have and call again later; the same batch
  twice changes nothing.
- `permanent`: the same call fails again until somebody mends what the message names.
"""


class StoreFault(Exception):
    """Something of a store that is expected to fail at times; the message says what, where and how to mend it."""

    permanent = True


def passes(error: BaseException) -> bool:
    """Whether an error is a fault that passes by itself: no bug, and no fault of what was to be stored."""
    return isinstance(error, StoreFault) and not error.permanent


class StoreUnreachable(StoreFault):
    """A store does not answer, or refuses for now."""

    permanent = False


class StoreFull(StoreFault):
    """A store has no room: the disk is full, or as much waits as may wait."""

    permanent = False


class LeaseTaken(StoreFault):
    """Another process holds the lease."""

    permanent = False


class StoreInUse(StoreFault):
    """Another process holds the data folder; the message names it and says what to do."""


class StoreNotStarted(StoreFault):
    """A server of our own did not start; the message holds the end of its log."""


class StoreTooNew(StoreFault):
    """The tables are of another version of the program than this one knows."""


class NotDurable(StoreFault):
    """A store may lose what it has answered for."""


class StatementRefused(StoreFault):
    """A server understood and refused: a fault of the statement or of the server; `code` is the server's own."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class BadTable(StoreFault):
    """A table breaks the seam: a column is missing, a time has no zone, a value is not finite, a name is unknown."""


class NameClash(StoreFault):
    """Two names have one code; one of them must be spelt otherwise."""


class NotKept(StoreFault):
    """The question is about time of which only larger buckets are kept; the message says what can be asked."""


class KeyConflict(StoreFault):
    """An idempotency key was used before with another body."""


class UnknownRule(StoreFault):
    """A finding names a rule that `rules.yaml` does not: its severity is not known."""
