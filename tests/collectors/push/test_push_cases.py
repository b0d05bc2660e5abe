"""The test case folders of the kind `push`, and the bounds of a body."""

from pathlib import Path
from typing import Any

import pytest

from collectors import Ask, Receiver, kind_module, kinds, receives
from collectors.push import Options, PushCollector
from config.catalogue import Channel
from config.settings import ROOT
from config.strict_yaml import read_mapping
from metrics.observations import Interval, SourceFault
from tests.support.push_world import NOW, body, row
from tests.support.record_sources import case_folders, collector, judged

KIND = ROOT / "collectors" / "push"
CASES = case_folders("push")
SOURCE: dict[str, Any] = {
    "id": "counts",
    "kind": "push",
    "delivers": [{"measure": "contacts"}],
    "options": {"token_env": "WATCHFLOOR_TOKEN_DESK", "records": 3, "body_bytes": 500},
}


def test_there_are_cases() -> None:
    assert len(CASES) == 9


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_case(folder: Path) -> None:
    expected, found = judged("push", folder)
    assert found == expected


def desk() -> PushCollector:
    built = collector(SOURCE)
    assert isinstance(built, PushCollector)
    return built


def test_the_sample_is_a_valid_channel_whose_readme_names_every_option() -> None:
    channel = Channel.model_validate(read_mapping(KIND / "sample.yaml"))
    kind_module("push").Options.model_validate(channel.sources[0].options)
    readme = (KIND / "README.md").read_text(encoding="utf-8")
    assert [name for name in Options.model_fields if f"`{name}`" not in readme] == []


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8 at byte 1"),
        (b'\xef\xbb\xbf{"observations": []}', "not JSON: Unexpected UTF-8 BOM"),
        (b"[]", "one list"),
        (b'{"observations": {}}', "one list"),
        (b'{"observations": [1], "observations": [2]}', "one list"),
        (b'{"observations": []}', "has 0 observations; 1 to 3 are taken"),
        (body(1, 2, 3, 4), "has 4 observations"),
        (body(row(), colour="red"), "unknown name 'colour'"),
        (body(row(), revision=-1), "whole number from 0 to 2"),
        (body(row(), revision=True), "whole number from 0 to 2"),
        (body(row(), revision=1.0), "whole number from 0 to 2"),
        (b'{"observations": [1], "revision": 1, "revision": 2}', "whole number from 0 to 2"),
        (b'{"observations": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nests deeper than 64"),
        (b'{"observations": [' + b"[" * 70 + b"]" * 70 + b"]}", "nests deeper than 64"),
        (b'{"observations": [' + b"{}," * 100_000 + b"{}]}", "more objects than 3 observations need"),
    ],
)
def test_what_is_no_batch_is_refused_whole_and_says_why(sent: bytes, said: str) -> None:
    with pytest.raises(SourceFault, match=said) as caught:
        desk().parse(desk().payload(sent, NOW))
    assert caught.value.code == "unreadable"


def test_faults_are_told_one_by_one_up_to_a_bound_and_then_counted() -> None:
    source = SOURCE | {"options": SOURCE["options"] | {"records": 20_000}}
    built = collector(source)
    parsed = built.parse(desk().payload(body(*[row(value=-1)] * 15_000, row()), NOW))
    assert (len(parsed.rejects), parsed.rejects[-1].code, parsed.rejects[-1].value) == (
        10_001,
        "further_rejects",
        "5000",
    )
    assert parsed.observations is not None
    assert len(parsed.observations) == 1


def test_a_sources_own_revision_travels_with_its_figures() -> None:
    assert desk().parse(desk().payload(body(row(), revision=12), NOW)).revision == 12
    assert desk().parse(desk().payload(body(row()), NOW)).revision is None


def test_what_was_long_ago_is_refused() -> None:
    parsed = desk().parse(desk().payload(body(row(minute=39 * 1440), row(minute=40 * 1440)), NOW))
    assert [(entry.line, entry.code) for entry in parsed.rejects] == [(2, "time_too_early")]


def test_a_file_is_read_within_the_bounds_of_a_push(tmp_path: Path) -> None:
    ask = Ask(Interval(NOW, NOW), {}, NOW)
    file = tmp_path / "body.json"
    file.write_bytes(body(row()))
    assert desk().parse(desk().fetch_file(file, ask)).read == 1
    file.write_bytes(b" " * 501)
    with pytest.raises(SourceFault, match="more than 500 bytes"):
        desk().fetch_file(file, ask)
    for nowhere in (tmp_path, tmp_path / "none", Path("/dev/null/x"), Path("a\0b")):
        with pytest.raises(SourceFault, match="cannot be read"):
            desk().fetch_file(nowhere, ask)


def test_a_pushing_source_is_a_receiver_and_cannot_be_asked() -> None:
    assert isinstance(desk(), Receiver)
    assert not hasattr(desk(), "fetch")
    assert {kind for kind in kinds() if receives(kind)} == {"push"}
