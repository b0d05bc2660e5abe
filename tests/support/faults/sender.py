"""Channel systems that push the reference load as good ones do: a key for every body, and again until it is taken."""

import time
from collections.abc import Sequence
from datetime import datetime
from threading import Event, Lock, Thread

import httpx

from bench.ledger import Ledger
from bench.load import STEP, Load

ANSWER_S = 40.0
PAUSE_S = 0.5
"""Between two tries where nobody answers at all."""
AGAIN = (429, 503)


class Sender:
    """A thread a channel; every `pace_s` seconds its next minute, at whichever address answers."""

    def __init__(self, load: Load, ledger: Ledger, addresses: Sequence[str], first: datetime, pace_s: float) -> None:
        self.load, self.ledger, self.addresses, self.pace_s = load, ledger, addresses, pace_s
        self.acknowledged, self.last_at = 0, 0.0
        self.refused: list[str] = []
        """Answers that a sender cannot mend by trying again."""
        self.put_off: list[str] = []
        """Answers of a address that cannot take a body now, with their reasons."""
        self._next = dict.fromkeys(load.channels, first)
        self._lock = Lock()
        self._ended = Event()
        self._threads: list[Thread] = []

    def start(self) -> None:
        """Begin, or go on where it was ended."""
        self._ended.clear()
        self._threads = [Thread(target=self._send, args=(channel,), daemon=True) for channel in self.load.channels]
        for thread in self._threads:
            thread.start()

    def end(self, patience_s: float = 90) -> None:
        """Send no new body; what was begun is delivered."""
        self._ended.set()
        until = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(0.1, until - time.monotonic()))
            assert not thread.is_alive(), f"a body is still not taken: {self.put_off[-3:]}"

    def deliver(self, channel: str, minute: datetime) -> None:
        """Deliver one more body, out of the row."""
        with httpx.Client(timeout=ANSWER_S, trust_env=False) as client:
            self._deliver(client, channel, minute)

    def _send(self, channel: str) -> None:
        with httpx.Client(timeout=httpx.Timeout(ANSWER_S, connect=3), trust_env=False) as client:
            while not self._ended.is_set():
                began = time.monotonic()
                self._deliver(client, channel, self._next[channel])
                self._next[channel] += STEP
                self._ended.wait(max(0.0, began + self.pace_s - time.monotonic()))

    def _deliver(self, client: httpx.Client, channel: str, minute: datetime) -> None:
        body, number = self.load.body(channel, minute), 0
        headers = {
            "Authorization": f"Bearer {self.load.token(channel)}",
            "Idempotency-Key": Load.key(channel, minute),
            "Content-Type": "application/json",
        }
        while True:
            number += 1
            address = self.addresses[(number + self.load.channels.index(channel)) % len(self.addresses)]
            try:
                answer = client.post(f"{address}/ingest/v1/{channel}", content=body, headers=headers)
            except httpx.HTTPError:
                time.sleep(PAUSE_S)
                continue
            if answer.status_code not in AGAIN:
                break
            with self._lock:
                self.put_off.append(f"{answer.status_code} {answer.json()}")
            time.sleep(float(answer.headers["Retry-After"]))
        with self._lock:
            if answer.status_code == 202:
                self.ledger.acknowledge(channel, minute)
                self.acknowledged, self.last_at = self.acknowledged + 1, time.monotonic()
            else:
                self.refused.append(f"{answer.status_code} {answer.text[:300]}")
