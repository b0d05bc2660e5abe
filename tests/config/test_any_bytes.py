"""Whatever bytes stand in a file of configuration, loading tells a fault and never falls over."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.catalogue import Channel
from config.drafts import Draft
from config.strict_yaml import Unreadable, read_mapping

PIECES = [
    "id: shop", "name: {zh: 店, en: shop}", "short: *a", "sources:", "  - &a {id: a, kind: push}", "? [a, b]", ": 1",
    "<<: *a", "zone: 0", "order: 1e400", "order: 0x_", "2026-99-99: 1", "\t- x", "!!python/object:os.system {}", "--- ",
    "%TAG ! !", "a: &a [*a]", "'", '"', "{", "}", "\x00", "\ud7ff", "=: 1", "~: ~", "60:61:62: 1", "? ? ?",
]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    content=st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(PIECES)).map(lambda p: "\n".join(p).encode()))
)
def test_any_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "shop.yaml"
    file.write_bytes(content)
    draft = Draft()
    mapping = draft.read(file)
    if mapping is not None:
        draft.put(draft.channels, "shop", Channel, mapping, file)
    assert draft.faults


def test_a_key_that_is_a_list(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("? [a, b]\n: 1\n")
    with pytest.raises(Unreadable, match="unhashable key"):
        read_mapping(file)


def test_a_tag_that_would_run_code(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("id: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(Unreadable, match="could not determine a constructor"):
        read_mapping(file)
