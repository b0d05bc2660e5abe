"""Following a growing file: any cut, any restart, every rotation, and paths that are no files."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.shared.lines import Place, split_lines
from collectors.shared.tailing import Tail
from metrics.observations import SourceFault
from tests.support.tailing_world import Ledger, ask, build, follow, pack, read_file, told, with_tail

OPTIONS: dict[str, Any] = {
    "path": "calls.csv",
    "line_limit": 64,
    "contact": {"columns": ["id"]},
    "columns": {"n": "integer"},
    "arrived": {"column": "t", "format": "epoch_s"},
    "region": {"constant": "440100"},
    "measures": {"contacts": {}, "talk_s": {"sum": "n"}},
}
HEADER = b"id,t,n\n"


def row(number: int, n: object = 1) -> bytes:
    return f"{number},{1795219200 + number},{n}\n".encode()


def rows(start: int, end: int) -> bytes:
    return b"".join(row(number) for number in range(start, end))


@pytest.fixture
def live(tmp_path: Path) -> Path:
    return tmp_path / "calls.csv"


@pytest.fixture
def collector(live: Path) -> Any:
    return with_tail(build("contact_log", OPTIONS), path=live)


def contacts(ledger: Ledger) -> int:
    return len(ledger.contacts)


AWKWARD = [
    *(b"1,1795219201,5\n", b"1,1795219201,6\n", b"2,1795219202\n", b"3,1795219203,7\r\n", b'6,1795219206,"8"\n'),
    *(b"\n", b"\r\n", b"x" * 200 + b"\n", b"4,1795219204,\xff\n", b"5,17952,\0\n", b'7,1795219207,"9\n'),
    "8,1795219208,é\n".encode(),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(st.sampled_from(AWKWARD), max_size=14),
    cuts=st.lists(st.integers(0, 900), max_size=12),
    chunk=st.integers(65, 400),
    bom=st.booleans(),
)
def test_any_cut_of_a_file_gives_the_same(
    lines: list[bytes], cuts: list[int], chunk: int, bom: bool, tmp_path: Path
) -> None:
    data = (b"\xef\xbb\xbf" if bom else b"") + HEADER + b"".join(lines)
    live, finished = tmp_path / "live.csv", tmp_path / "finished.csv"
    finished.write_bytes(data)
    live.unlink(missing_ok=True)
    collector = with_tail(build("contact_log", OPTIONS), path=live, chunk=chunk)
    ledger = Ledger()
    for end in sorted({*cuts, len(data)}):
        live.write_bytes(data[:end])
        follow(collector, ledger)
    once = read_file(build("contact_log", OPTIONS), finished)
    # The same key twice in one payload is counted as superseded there, in two payloads by the store.
    assert ledger.contacts == once.contacts
    assert (told(ledger.rejects), ledger.read) == (told(once.rejects), once.read)


def test_a_restart_at_every_byte_continues_at_the_right_byte(live: Path, tmp_path: Path) -> None:
    """Each poll is a new process: a new collector, and the cursor as JSON."""
    data = HEADER + rows(0, 5)
    ledger = Ledger()
    for end in range(len(data) + 1):
        live.write_bytes(data[:end])
        follow(with_tail(build("contact_log", OPTIONS), path=live), ledger)
    assert ledger.sums() == {"contacts": 5, "talk_s": 5}
    assert (ledger.read, ledger.rejects, ledger.cursor["place"]["line"]) == (5, [], 6)


def test_a_half_written_last_line_waits_for_its_end(collector: Any, live: Path) -> None:
    live.write_bytes(HEADER + row(1) + b"2,17952")
    ledger = follow(collector, Ledger())
    assert (contacts(ledger), ledger.rejects) == (1, [])
    with live.open("ab") as file:
        file.write(b"19202,1\n")
    assert contacts(follow(collector, ledger)) == 2


def test_rotation_by_renaming_finishes_the_old_file_first(collector: Any, live: Path) -> None:
    live.write_bytes(HEADER + rows(0, 3))
    ledger = follow(collector, Ledger())
    with live.open("ab") as file:
        file.write(rows(3, 5))
    live.rename(live.with_name("calls.csv.1"))
    assert contacts(follow(collector, ledger)) == 5
    live.write_bytes(HEADER + rows(5, 7))
    follow(collector, ledger)
    assert (contacts(ledger), ledger.rejects) == (7, [])


def test_several_rotations_between_two_readings_lose_nothing(collector: Any, live: Path) -> None:
    live.write_bytes(HEADER + rows(0, 3))
    ledger = follow(collector, Ledger())
    for number, (start, end) in enumerate([(3, 5), (5, 6), (6, 9)]):
        rotated = live.with_name(f"calls.csv-2026112{number}")
        live.rename(rotated)
        os.utime(rotated, (1000 + number, 1000 + number))
        live.write_bytes(HEADER + rows(start, end))
    follow(collector, ledger)
    assert (contacts(ledger), ledger.rejects) == (9, [])


@pytest.mark.parametrize("packed", [False, True])
def test_rotation_by_copy_and_truncate_reads_the_rest_of_the_copy(collector: Any, live: Path, packed: bool) -> None:
    live.write_bytes(HEADER + rows(0, 3))
    ledger = follow(collector, Ledger())
    copy = HEADER + rows(0, 6)
    pack(live.with_name("calls.csv.1.gz"), copy) if packed else live.with_name("calls.csv.1").write_bytes(copy)
    with live.open("r+b") as file:
        file.truncate(0)
    assert contacts(follow(collector, ledger)) == 6
    with live.open("ab") as file:
        file.write(HEADER + rows(6, 60))
    follow(collector, ledger)
    assert (contacts(ledger), ledger.rejects) == (60, [])


def test_a_replaced_file_is_noticed_when_its_rest_cannot_be_found(collector: Any, live: Path) -> None:
    live.write_bytes(HEADER + rows(0, 3))
    ledger = follow(collector, Ledger())
    live.write_bytes(HEADER + rows(7, 20))
    follow(collector, ledger)
    assert contacts(ledger) == 16
    assert told(ledger.rejects) == [[None, "CP-01", None, "rotated_unread", str(live)]]
    follow(collector, ledger)
    assert len(ledger.rejects) == 1


def test_a_shrunken_file_is_read_again_and_told(collector: Any, live: Path) -> None:
    live.write_bytes(HEADER + rows(0, 9))
    ledger = follow(collector, Ledger())
    live.write_bytes(HEADER + rows(0, 2) + row(50))
    follow(collector, ledger)
    assert contacts(ledger) == 10
    assert [one.code for one in ledger.rejects] == ["rotated_unread"]


def test_siblings_that_are_no_rotation_are_left_alone(collector: Any, live: Path) -> None:
    live.write_bytes(HEADER + rows(0, 3))
    ledger = follow(collector, Ledger())
    live.rename(live.with_name("calls.csv.1"))
    live.with_name("calls.csv.bak").write_bytes(HEADER + rows(100, 200))
    os.mkfifo(live.with_name("calls.csv.2"))
    live.write_bytes(HEADER + rows(3, 4))
    assert contacts(follow(collector, ledger)) == 4


def test_files_of_a_folder_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    collector = with_tail(build("contact_log", OPTIONS), path=tmp_path / "calls_*.csv")
    (tmp_path / "calls_2.csv").write_bytes(HEADER + rows(3, 5))
    (tmp_path / "calls_1.csv").write_bytes(HEADER + rows(0, 3)[:-1])
    ledger = follow(collector, Ledger())
    assert contacts(ledger) == 5
    (tmp_path / "calls_1.csv").unlink()
    (tmp_path / "calls_2.csv").unlink()
    (tmp_path / "calls_3.csv").write_bytes(HEADER + rows(5, 6))
    follow(collector, ledger)
    assert (contacts(ledger), ledger.rejects) == (6, [])


def test_pieces_are_bounded_and_only_the_last_covers_the_window(live: Path) -> None:
    live.write_bytes(HEADER + rows(0, 2000))
    collector = with_tail(build("contact_log", OPTIONS), path=live, chunk=4096)
    ledger = follow(collector, Ledger())
    assert contacts(ledger) == 2000
    assert ledger.largest <= 4096
    first = collector.fetch(ask())
    assert first.more
    assert first.window.start == first.window.end


def test_a_file_without_a_whole_record_is_waited_for(collector: Any, live: Path) -> None:
    for data in (b"", HEADER[:3], HEADER, HEADER + b"1,17"):
        live.write_bytes(data)
        ledger = follow(collector, Ledger())
        assert (contacts(ledger), ledger.read, ledger.rejects) == (0, 0, [])


def test_a_ten_megabyte_line_costs_one_reject_and_little_memory(live: Path) -> None:
    live.write_bytes(HEADER + row(1) + b"z" * 10_000_000 + b"\n" + row(2))
    ledger = follow(with_tail(build("contact_log", OPTIONS), path=live, chunk=1_000_000), Ledger())
    assert told(ledger.rejects) == [[3, "TY-01", None, "line_too_long", ">64"]]
    assert (contacts(ledger), ledger.largest, ledger.cursor["place"]["line"]) == (2, 1_000_000, 4)


def test_rejects_are_bounded_and_the_rest_is_counted(live: Path) -> None:
    live.write_bytes(HEADER + b"x\n" * 25_000)
    ledger = read_file(build("contact_log", OPTIONS), live)
    assert len(ledger.rejects) == 10_001
    assert told(ledger.rejects)[-1] == [10_002, "TY-01", None, "further_rejects", "15000"]


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


OBSTACLES: dict[str, tuple[Callable[[Path], object], str, bool]] = {
    "directory": (Path.mkdir, "unreadable", True),
    "fifo": (os.mkfifo, "unreadable", True),
    "device": (lambda path: path.symlink_to("/dev/zero"), "unreadable", True),
    "loop": (make_loop, "unreadable", True),
    "dangling": (lambda path: path.symlink_to("nowhere"), "not_found", False),
    "nothing": (lambda path: None, "not_found", False),
}


@pytest.mark.timeout(10)
@pytest.mark.parametrize("way", ["fetch", "fetch_file"])
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_is_no_file_is_a_clear_fault_and_never_hangs(collector: Any, live: Path, obstacle: str, way: str) -> None:
    put, code, permanent = OBSTACLES[obstacle]
    put(live)
    with pytest.raises(SourceFault) as caught:
        collector.fetch(ask()) if way == "fetch" else collector.fetch_file(live, ask())
    assert (caught.value.code, caught.value.permanent) == (code, permanent)
    assert str(live) in caught.value.detail


def test_a_packed_bomb_is_refused(collector: Any, tmp_path: Path) -> None:
    bomb = pack(tmp_path / "bomb.gz", HEADER + b"\n" * 50_000_000)
    with pytest.raises(SourceFault, match="expands to more than") as caught:
        read_file(collector, bomb)
    assert caught.value.permanent


@pytest.mark.parametrize("spoil", [lambda data: data[:-20], lambda data: data[:40] + b"????" + data[44:]])
def test_a_broken_packed_file_is_a_permanent_fault(collector: Any, tmp_path: Path, spoil: Any) -> None:
    file = pack(tmp_path / "broken.gz", HEADER + rows(0, 3000))
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(SourceFault, match="broken or cut-off") as caught:
        read_file(collector, file)
    assert caught.value.permanent


def test_a_back_fill_refuses_to_go_on_in_another_file(collector: Any, live: Path) -> None:
    live.write_bytes(HEADER + rows(0, 3))
    cursor = read_file(collector, live).cursor
    live.write_bytes(HEADER + rows(10, 20))
    with pytest.raises(SourceFault, match="not the file that was begun"):
        collector.fetch_file(live, ask(cursor))


def test_a_back_fill_resumes_where_it_was_killed(live: Path) -> None:
    live.write_bytes(HEADER + rows(0, 500))
    collector = with_tail(build("contact_log", OPTIONS), path=live, chunk=1000)
    payload = collector.fetch_file(live, ask())
    ledger = Ledger()
    ledger.keep(payload, collector.parse(payload))
    payload = collector.fetch_file(live, ask(ledger.cursor))
    assert live.read_bytes()[payload.cursor["place"]["offset"] - 1 :].startswith(b"\n")
    ledger.keep(payload, collector.parse(payload))
    assert contacts(ledger) == ledger.read < 500


def test_line_numbers_and_bytes_are_those_of_the_file() -> None:
    data = b"\xef\xbb\xbfone\r\n\ntwo\n  \nthree"
    lines = split_lines(data, Place("x", 0, 0, "", 0), limit=64)
    assert (lines.texts, lines.numbers.tolist()) == ([b"one", b"two", b"  ", b"three"], [1, 3, 4, 5])
    assert [data[offset:][:3] for offset in lines.offsets] == [b"one", b"two", b"  \n", b"thr"]
    assert (lines.after.offset, lines.after.line) == (len(data), 5)


def test_a_tail_needs_no_file_to_be_made() -> None:
    assert Tail(Path("/nowhere/at/all"), head_lines=1).path.name == "all"
