"""Addresses of Valkey: what may be said, and that nothing secret is repeated where it may not."""

import pytest
import redis

from config.settings import BadSetting
from store.valkey.address import TAG, ValkeyAddress
from store.valkey.primary import SlotFinder


@pytest.mark.parametrize("url", ["redis://h", "rediss://me:pw@h:6380/2", "unix:///run/valkey.sock"])
def test_a_single_server_is_what_the_client_library_reads(url: str) -> None:
    address = ValkeyAddress.of(url)
    assert (address.kind, address.url, address.copies) == ("single", url, 0)


def test_a_service_that_sentinels_watch() -> None:
    address = ValkeyAddress.of("sentinel://me:p%40ss@a:26379,[::1]:26380,10.0.0.3:26381/floor")
    assert (address.kind, address.service, address.copies) == ("sentinel", "floor", 1)
    assert address.nodes == (("a", 26379), ("::1", 26380), ("10.0.0.3", 26381))
    assert (address.username, address.password) == ("me", "p@ss")


def test_a_cluster() -> None:
    address = ValkeyAddress.of("cluster://:secret@a:1,b:2")
    assert (address.kind, address.nodes, address.copies) == ("cluster", (("a", 1), ("b", 2)), 1)
    assert (address.username, address.password) == (None, "secret")
    assert ValkeyAddress.of("cluster://a:1").username is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "begins with ''"),
        ("memcached://a:1", "begins with 'memcached'"),
        ("redis://:secret@a:port", "cannot be read"),
        ("sentinel://me:secret@a:1,b:2", "names no service"),
        ("sentinel://a:1/b/c", "names no service"),
        ("sentinel://a,b:2/floor", "names 'a', which is no HOST:PORT"),
        ("sentinel://a:1,/floor", "names '', which is no HOST:PORT"),
        ("cluster://a:70000", "names 'a:70000'"),
        ("cluster://a:1/0", "has something behind the servers"),
        ("cluster://a:1?tls=1", "has a [?] or #"),
        ("sentinel://[::1/floor", "is no address"),
    ],
)
def test_what_cannot_be_is_named(url: str, said: str) -> None:
    with pytest.raises(BadSetting, match=f"^WATCHFLOOR_VALKEY_URL {said}") as caught:
        ValkeyAddress.of(url)
    assert "secret" not in str(caught.value)


def test_a_cluster_that_nobody_answers_for_names_whom_it_asked() -> None:
    finder = SlotFinder([("127.0.0.1", 1), ("127.0.0.1", 2)], TAG, {})
    with pytest.raises(redis.ConnectionError, match=r"127\.0\.0\.1:1: .*; 127\.0\.0\.1:2: "):
        finder.discover_master("")
