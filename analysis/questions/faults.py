"""What may come instead of an answer."""


class CannotAnswer(ValueError):
    """A question cannot be answered as it is; the message says what is wrong with it and what there is.

    `code` is for machines: `unknown` (it names what does not exist, or does not fit together), `scope` (the asker may
    not see that place), `too_much` (more than is answered at once), `not_kept` (of that time only larger buckets are).
    """

    def __init__(self, message: str, code: str = "unknown") -> None:
        super().__init__(message)
        self.code = code


class Unavailable(Exception):
    """Nobody can answer now; the message says why. Ask again later.

    `code`: `away` (who owns the facts, or a store, does not answer), `busy` (too many wait), `late` (it took longer
    than was waited for), `failed` (a bug; the log of the process that answers has it).
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Stopped(Exception):
    """Nobody waits for the answer any more: it was not worked out."""
