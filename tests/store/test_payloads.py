import hashlib
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from metrics.observations import NaiveTime
from store.faults import StoreFull
from store.payloads import Payloads

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


def keep(payloads: Payloads, data: bytes, at: datetime = NOW) -> str:
    return payloads.keep(data, hashlib.sha256(data).hexdigest(), at)


@pytest.mark.parametrize("data", [b"", b"x" * 100_000, bytes(range(256))])
def test_what_was_kept_is_read(tmp_path: Path, data: bytes) -> None:
    payloads = Payloads(tmp_path)
    path = keep(payloads, data)
    assert path.startswith("2026-11-21/")
    assert payloads.read(path) == data
    assert keep(payloads, data) == path
    assert len(list(tmp_path.rglob("*.zlib"))) == 1


@pytest.mark.parametrize("digest", ["../" * 22, "a" * 63, "A" * 64, "/etc/passwd", "a" * 64 + "\n"])
def test_only_digests_become_names(tmp_path: Path, digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        Payloads(tmp_path).keep(b"x", digest, NOW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "path", ["../secret", "2026-11-21/../../secret", "/etc/passwd", f"2026-11-21/{'a' * 64}.zlib\n"]
)
def test_only_payloads_are_read(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not the path of a payload"):
        Payloads(tmp_path).read(path)


def test_a_payload_that_was_changed_is_refused(tmp_path: Path) -> None:
    payloads = Payloads(tmp_path)
    path, other = keep(payloads, b"one"), keep(payloads, b"two")
    (tmp_path / path).write_bytes((tmp_path / other).read_bytes())
    with pytest.raises(ValueError, match="was changed"):
        payloads.read(path)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull, match=f"no room for payloads in {tmp_path}: No space"):
        keep(Payloads(tmp_path), b"x")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_old_days_are_forgotten(tmp_path: Path) -> None:
    payloads = Payloads(tmp_path)
    paths = [keep(payloads, str(n).encode(), NOW - timedelta(days=n)) for n in range(4)]
    assert payloads.forget(date(2026, 11, 20)) == 2
    assert payloads.forget(date(2026, 11, 20)) == 0
    assert [(tmp_path / path).exists() for path in paths] == [True, True, False, False]


def test_a_time_needs_a_zone(tmp_path: Path) -> None:
    with pytest.raises(NaiveTime):
        keep(Payloads(tmp_path), b"x", datetime(2026, 11, 21))  # noqa: DTZ001 - the naive time is the case
