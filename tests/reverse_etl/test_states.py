"""The states and their moves."""

from itertools import product

import pytest

from reverse_etl.states import OUTCOMES, IllegalMoveError, Status, check_move, is_legal

FINAL = {Status.ACCEPTED, Status.EXPIRED, Status.EXITED, Status.SUPERSEDED}


def test_what_has_ended_stays_ended() -> None:
    """No move leads out of an end; of a refusal only a person makes something else, and that is a new beginning."""
    assert not [pair for pair in product(FINAL, Status) if is_legal(*pair)]
    assert [after for after in Status if is_legal(Status.REJECTED, after)] == [Status.PENDING]


def test_nothing_is_sent_but_from_a_committed_attempt() -> None:
    """Accepted follows an attempt, or an attempt whose outcome was unknown."""
    assert [before for before in Status if is_legal(before, Status.ACCEPTED)] == [
        Status.ATTEMPTING,
        Status.AMBIGUOUS,
    ]


def test_an_attempt_is_never_called_expired_or_exited() -> None:
    """Its outcome is unknown, so it can only be resolved or be ambiguous."""
    assert {after for after in Status if is_legal(Status.ATTEMPTING, after)} == {
        Status.ACCEPTED,
        Status.REJECTED,
        Status.AMBIGUOUS,
        Status.PENDING,
    }


def test_every_state_can_be_reached_and_left_or_ends() -> None:
    """There is no state without a way in, nor a dead one that isn't an end."""
    for status in Status:
        assert status is Status.PENDING or [before for before in Status if is_legal(before, status)]
        assert status in FINAL or [after for after in Status if is_legal(status, after)]


def test_an_illegal_move_raises_and_names_the_enrollment_only() -> None:
    """The error is about an id, not a person."""
    with pytest.raises(IllegalMoveError, match="enrollment d1 can't go from accepted to pending"):
        check_move("d1", Status.ACCEPTED, Status.PENDING)


def test_outcomes_are_what_adds_up_to_the_enrollments() -> None:
    """These are the words of the receipts table."""
    assert {str(status) for status in OUTCOMES} == {
        "accepted",
        "rejected",
        "ambiguous",
        "held",
        "expired",
        "exited",
        "superseded",
    }
