"""Every testcase folder of the file kinds: whole, packed, and growing piece by piece give what the folder expects."""

from pathlib import Path
from typing import Any

import pytest

from config.settings import ROOT
from tests.support.tailing_world import Ledger, follow, load_case, pack, read_file, told, with_tail

ROOT = ROOT / "collectors"
KINDS = ("contact_log", "access_log")
CASES = [folder for kind in KINDS for folder in sorted((ROOT / kind / "testcases").iterdir()) if folder.is_dir()]
NEEDED = {"good", "broken", "partial", "hostile"}

each_case = pytest.mark.parametrize("folder", CASES, ids=lambda folder: f"{folder.parents[1].name}-{folder.name}")


def parts_of(ledger: Ledger) -> list[list[Any]]:
    return sorted(
        [measure, region, dimension, start.isoformat(), value, times]
        for (measure, region, dimension, start, value), times in ledger.parts().items()
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_testcases(kind: str) -> None:
    found = {folder.name for folder in CASES if folder.parents[1].name == kind}
    assert found >= NEEDED
    assert len(found) >= 4


@each_case
def test_each_reject_is_explained_in_the_kind_s_readme(folder: Path) -> None:
    readme = (folder.parents[1] / "README.md").read_text(encoding="utf-8")
    codes = {code for _, _, _, code, _ in load_case(folder)[2]["rejects"]}
    assert {code for code in codes if f"`{code}`" not in readme} == set()


@each_case
def test_a_file_gives_what_its_folder_expects(folder: Path) -> None:
    collector, source, expected = load_case(folder)
    ledger = read_file(collector, source)
    assert told(ledger.rejects) == expected["rejects"]
    assert (ledger.read, dict(ledger.excluded)) == (expected["read"], expected["excluded"])
    assert ledger.sums() == pytest.approx(expected["sums"])
    assert parts_of(ledger) == expected["parts"]


@each_case
def test_a_packed_file_under_another_name_is_the_same_file(folder: Path, tmp_path: Path) -> None:
    collector, source, _ = load_case(folder)
    plain = read_file(collector, source)
    packed = read_file(collector, pack(tmp_path / "elsewhere.gz", source.read_bytes()))
    assert packed.contacts == plain.contacts
    assert packed.rejects == plain.rejects


@each_case
def test_a_growing_file_gives_the_same_as_a_finished_one(folder: Path, tmp_path: Path) -> None:
    """The file grows by 97 bytes between polls and is read in the smallest pieces that are possible."""
    collector, source, _ = load_case(folder)
    data = source.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    live = tmp_path / "live"
    chunk = collector.plan.options.line_limit + 1
    tailed = with_tail(collector, path=live, chunk=chunk)
    ledger = Ledger()
    for end in range(0, len(data) + 97, 97):
        live.write_bytes(data[:end])
        follow(tailed, ledger)
    finished = tmp_path / "finished"
    finished.write_bytes(whole)
    once = read_file(collector, finished)
    assert ledger.contacts == once.contacts or "partial" in folder.name
    assert ledger.sums() == pytest.approx(once.sums())
    assert ledger.largest <= chunk
    assert told(ledger.rejects) == told(once.rejects)
