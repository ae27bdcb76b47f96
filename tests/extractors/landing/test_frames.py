"""Framing: every whole record is read, whatever a crash or a bad disk made of the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.landing.frames import framed, recover

_records = st.lists(st.binary(min_size=1, max_size=60), max_size=8)


@given(records=_records)
def test_what_was_framed_is_recovered(records: list[bytes]) -> None:
    """In order, with nothing left over."""
    found = recover(b"".join(framed(record) for record in records))
    assert (found.contents, found.torn, found.damaged) == (records, 0, 0)


@given(records=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=6), data=st.data())
def test_a_cut_loses_only_the_record_it_went_through(records: list[bytes], data: st.DataObject) -> None:
    """A crash in the middle of a write leaves a torn tail and nothing else."""
    journal = b"".join(framed(record) for record in records)
    kept = len(journal) - len(framed(records[-1]))
    cut = data.draw(st.integers(kept, len(journal) - 1))
    found = recover(journal[:cut])
    assert (found.contents, found.torn, found.damaged) == (records[:-1], cut - kept, 0)


@given(
    before=_records,
    bad=st.binary(min_size=1, max_size=60),
    after=st.binary(min_size=1, max_size=60),
    data=st.data(),
)
def test_damage_in_the_middle_loses_only_the_damaged_record(
    before: list[bytes], bad: bytes, after: bytes, data: st.DataObject
) -> None:
    """Even a broken length doesn't hide what follows."""
    start = b"".join(framed(record) for record in before)
    broken = bytearray(framed(bad))
    broken[data.draw(st.integers(0, len(broken) - 1))] ^= data.draw(st.integers(1, 255))
    found = recover(start + bytes(broken) + framed(after))
    assert found.contents == [*before, after]
    assert found.damaged == len(broken)


@given(size=st.integers(0, 200))
def test_zeros_hold_no_records(size: int) -> None:
    """A file system may lengthen a file with zeros before it writes."""
    found = recover(framed(b"one") + bytes(size))
    assert (found.contents, found.torn) == ([b"one"], size)


def test_an_empty_record_is_refused() -> None:
    """It could not be told from a run of zeros."""
    with pytest.raises(ValueError, match="empty"):
        framed(b"")
