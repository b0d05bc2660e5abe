"""The lease on a real Valkey: one holder, the next one when he is gone."""

from pathlib import Path

import pytest

from store.faults import LeaseTaken, StoreUnreachable
from store.valkey.embedded import EmbeddedValkey
from store.valkey.lease import Lease


def test_one_holds_it_until_he_gives_it_up(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        first, second = Lease(valkey.url, "publisher"), Lease(valkey.url, "publisher")
        first.hold()
        first.hold()
        assert first.held
        with pytest.raises(LeaseTaken):
            second.hold()
        assert not second.held
        Lease(valkey.url, "another").hold()
        first.close()
        assert not first.held
        second.hold()
        assert second.held


def test_who_does_not_renew_it_loses_it(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        silent, next_one = Lease(valkey.url, "publisher", lasts_s=0.2), Lease(valkey.url, "publisher")
        silent.hold()
        while not next_one.held:
            try:
                next_one.hold()
            except LeaseTaken:
                continue
        assert not silent.held
        with pytest.raises(LeaseTaken):
            silent.hold()


def test_valkey_away_is_not_another_holder(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as valkey:
        lease = Lease(valkey.url, "publisher")
        lease.hold()
    with pytest.raises(StoreUnreachable):
        lease.hold()
    assert lease.held, "nobody else can have it within its time"
    lease.close()
