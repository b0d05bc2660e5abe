"""What a batch carries: dimension keys, spans and rejects."""

from datetime import UTC, datetime, timedelta

import pytest

from metrics.observations import (
    FURTHER_REJECTS,
    Interval,
    NaiveTime,
    Parsed,
    Reject,
    SourceFault,
    decode_dimensions,
    encode_dimensions,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def reject(code: str, value: str) -> Reject:
    return Reject("TY-01", 1, "value", code, value)


def test_dimension_values_come_back_from_their_key_whatever_signs_they_hold() -> None:
    values = {"queue": "a;b=c%d", "entry": "热线"}
    assert decode_dimensions(encode_dimensions(values)) == values
    assert encode_dimensions({"b": "2", "a": "1"}) == "a=1;b=2"
    assert decode_dimensions("") == {}


def test_a_reject_is_one_piece_and_the_last_stands_for_all_further_ones() -> None:
    rejects = (reject("no_number", "17"), reject(FURTHER_REJECTS, "40"))
    assert [each.pieces for each in rejects] == [1, 40]
    assert Parsed({}, rejects=rejects).refused == 41


def test_an_interval_may_be_empty_but_neither_naive_nor_backwards() -> None:
    assert Interval(NOON, NOON).start == NOON
    with pytest.raises(ValueError, match="before it starts"):
        Interval(NOON, NOON - timedelta(seconds=1))
    with pytest.raises(NaiveTime, match="interval end"):
        Interval(NOON, NOON.replace(tzinfo=None))


def test_a_source_fault_says_its_code_and_passes_unless_it_is_told_otherwise() -> None:
    fault = SourceFault("timeout", "no answer in 5 s")
    assert str(fault) == "timeout: no answer in 5 s"
    assert not fault.permanent
