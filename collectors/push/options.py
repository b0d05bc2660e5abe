"""What a channel's YAML says about a system that pushes its figures by itself."""

from typing import Annotated

from pydantic import Field, StringConstraints

from config.catalogue import Noun


class Options(Noun):
    """Who may push, and how much at a time."""

    token_env: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{2,63}$")]
    """Environment variable that holds the bearer token of this channel."""
    body_bytes: int = Field(default=32 * 1024 * 1024, gt=0, le=256 * 1024 * 1024)
    """Largest body, counted after decompression."""
    records: int = Field(default=250_000, gt=0, le=2_000_000)
    pushes_per_minute: int = Field(default=600, gt=0)
    oldest_days: int = Field(default=40, gt=0, le=36_600)
    """Age of an interval that nobody corrects any more: one wrong clock must not have decades judged again."""
