"""Which instants a call of the demo lives through."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from console.demo.replay import STEP, instants
from console.demo.vendors import Window

START = datetime(2017, 6, 10, 16, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(hours=2, minutes=10))


def test_the_first_call_lives_through_the_whole_window() -> None:
    """From its start to its end, no step longer than a flow's shortest window allows."""
    lived = list(instants(WINDOW, None))
    assert (lived[0], lived[-1]) == (WINDOW.start, WINDOW.end)
    assert all(timedelta() < later - earlier <= STEP for earlier, later in pairwise(lived))


def test_the_second_call_stands_still() -> None:
    """Once the window is over, the job runs once more where time stands."""
    assert list(instants(WINDOW, WINDOW.end)) == [WINDOW.end]


def test_an_interrupted_call_goes_on_where_it_was() -> None:
    """Nothing is lived through twice."""
    stopped_at = START + timedelta(minutes=50)
    assert next(iter(instants(WINDOW, stopped_at))) == stopped_at + STEP
    assert list(instants(WINDOW, stopped_at))[-1] == WINDOW.end


def test_a_clock_that_ran_beyond_the_window_never_goes_back() -> None:
    """After make dev the clock may stand days later."""
    later = WINDOW.end + timedelta(days=1)
    assert list(instants(WINDOW, later)) == [later]
