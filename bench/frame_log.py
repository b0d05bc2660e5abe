"""A stream read beside a browser's: which value came with a frame, and the instants that the frame tells."""

import json
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx


@dataclass(frozen=True)
class Logged:
    """Instants of one frame, in seconds since 1970."""

    at: float
    """When its snapshot was begun."""
    made: float
    """When its bytes were made."""
    came: float


class FrameLog:
    """Reads in a thread until the server ends the stream."""

    def __init__(self, url: str, tile: str) -> None:
        self._url, self._tile = url, tile
        self.frames: dict[str, Logged] = {}
        """The first frame that showed each text of a tile's value."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        plain = {"Accept-Encoding": "identity"}
        with httpx.stream("GET", self._url, headers=plain, trust_env=False, timeout=60) as stream:
            try:
                for line in stream.iter_lines():
                    if line.startswith("data:") and '"set"' in line:
                        self._take(json.loads(line[5:]))
            except httpx.RemoteProtocolError:
                return  # the server ended with the measurement

    def _take(self, frame: dict[str, Any]) -> None:
        came = time.time()
        value = frame["set"].get(self._tile, {}).get(".value")
        if value is not None and frame["at"]:
            at, made = (datetime.fromisoformat(frame[name]).timestamp() for name in ("at", "now"))
            self.frames.setdefault(value, Logged(at, made, came))
