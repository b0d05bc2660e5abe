"""Figures that arrive by themselves: how a kind of source that receives takes them in.

A kind receives if its package has `addresses(sources, intake)`: the web addresses at which what its sources send
arrives. An endpoint looks at a body, puts it into the `Intake`, which is on disk before it answers, and tells the
sender what became of it; the pipeline counts it later, by the receiver of the same source.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from config.actions import Action


class Taken(Protocol):
    """What the intake answers."""

    @property
    def id(self) -> str:
        """Name of the batch."""
        ...

    @property
    def duplicate(self) -> bool:
        """Whether the same key came before with the same body."""
        ...


@dataclass(frozen=True)
class Intake:
    """The way of a body to the pipeline; both functions wait for a disk, so they are called in a thread."""

    append: Callable[[str, str, str, bytes, datetime], Taken]
    """Takes channel, source, key, body and time of receipt; raises one of `failures`, and then nothing is taken."""
    refuse: Callable[[str, str, bytes, datetime], None]
    """Takes channel, source, body and time of receipt of what is not to count, for the steward; raises the same."""
    failures: Mapping[type[Exception], tuple[int, str]]
    """What may go wrong, with the status and the code that tell the sender."""
    clock: Callable[[], datetime]


@dataclass(frozen=True)
class ReceivingAddress:
    """A web address at which bodies arrive."""

    path: str
    endpoint: Callable[[Request], Awaitable[Response]]
    methods: tuple[str, ...] = ("POST",)
    action: Action | None = None
    """What a signed-in viewer must be allowed; None: the endpoint asks for a token and answers nobody without it."""
