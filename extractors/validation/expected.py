"""An expectation of Great Expectations with what a person is told of it.

Imports Great Expectations, which takes seconds: ``suite`` imports this module where it has rows to look at.
"""

from dataclasses import dataclass

from great_expectations.expectations.expectation import Expectation as GxExpectation


@dataclass(frozen=True, slots=True)
class Expected:
    """An expectation with its name, one plain sentence, and what its failure does: stop the load, refuse the row."""

    name: str
    description: str
    blocking: bool
    expectation: GxExpectation
    quarantines: bool = False
