import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.valkey.packing import pack, unpack

TEXT = st.text(max_size=6)
FRAMES = st.integers(0, 12).flatmap(
    lambda rows: st.fixed_dictionaries(
        {
            "text": st.lists(TEXT | st.none(), min_size=rows, max_size=rows).map(lambda v: pd.Series(v, dtype="str")),
            "kind": st.lists(TEXT, min_size=rows, max_size=rows).map(
                lambda v: pd.Series(v, dtype="str").astype("category")
            ),
            "value": st.lists(st.floats(), min_size=rows, max_size=rows).map(lambda v: pd.Series(v, dtype="float64")),
            "count": st.lists(st.integers(-(2**62), 2**62), min_size=rows, max_size=rows).map(
                lambda v: pd.Series(v, dtype="int64")
            ),
            "told": st.lists(st.booleans(), min_size=rows, max_size=rows).map(lambda v: pd.Series(v, dtype="bool")),
            "at": st.lists(st.integers(0, 4_000_000_000) | st.none(), min_size=rows, max_size=rows).map(
                lambda v: pd.Series(pd.to_datetime(pd.Series(v, dtype="Int64"), unit="s", utc=True)).astype(
                    "datetime64[s, UTC]"
                )
            ),
        }
    ).map(pd.DataFrame)
)


@given(FRAMES)
def test_what_is_packed_comes_back(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(unpack(pack(frame)), frame)


def test_columns_without_rows_and_rows_without_columns() -> None:
    assert list(unpack(pack(pd.DataFrame(columns=["a", "b"]))).columns) == ["a", "b"]
    assert len(unpack(pack(pd.DataFrame(index=range(3))))) == 3


def test_the_index_is_not_part_of_it() -> None:
    frame = pd.DataFrame({"value": [1.0, 2.0]}, index=[7, 9])
    assert unpack(pack(frame)).index.tolist() == [0, 1]


def test_objects_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="column 'odd' cannot be packed"):
        pack(pd.DataFrame({"odd": [{"a": 1}.items().__class__, "b"]}))


def test_nothing_in_it_can_run() -> None:
    """Objects, which would have to be unpickled, are refused."""
    data = pack(pd.DataFrame({"value": [1.0]})).replace(b'"<f8"', b'"|O" ')
    with pytest.raises(ValueError, match="OBJECT array"):
        unpack(data)


def test_codes_without_a_label_are_refused() -> None:
    data = pack(pd.DataFrame({"kind": pd.Categorical(["a", "b"])}))
    assert data.count(b"\0\1") == 1
    with pytest.raises(ValueError, match="codes need to be between"):
        unpack(data.replace(b"\0\1", b"\0\2"))


def test_numbers_are_not_copied() -> None:
    """They stay in the bytes that came, and nobody can write to what all views share."""
    frame = unpack(pack(pd.DataFrame({"value": [1.0, 2.0]})))
    assert not frame["value"].to_numpy().flags.writeable


def test_codes_are_narrow() -> None:
    """Text of few values costs a byte a row, whatever its length."""
    frame = pd.DataFrame({"region": pd.Series(["110000" * 10, "120000" * 10] * 5000, dtype="str")})
    assert len(pack(frame)) < 11_000
