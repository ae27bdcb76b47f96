"""A stream's rules as expectations on the columns that ``facts`` makes of its rows.

Imports Great Expectations, which takes seconds: ``suite`` imports this module where it has rows to look at.
"""

from collections.abc import Sequence

from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_be_in_set import ExpectColumnValuesToBeInSet
from great_expectations.expectations.core.expect_column_values_to_match_regex import (
    ExpectColumnValuesToMatchRegex,
)
from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.expectation import Expectation as GxExpectation

from extractors.validation import facts
from extractors.validation.expected import Expected
from extractors.validation.rules import Rule, StreamRules


def expectations(rules: StreamRules) -> Sequence[Expected]:
    """Return the stream's suite; none of it stops the load, staging puts the rows that fail into quarantine."""
    return [
        Expected(
            rule.name,
            rule.says,
            blocking=False,
            quarantines=rule.quarantines,
            expectation=_expectation(rule, rules),
        )
        for rule in rules.rules
    ]


def _expectation(rule: Rule, rules: StreamRules) -> GxExpectation:
    column = rule.name
    if rule.between is not None:
        low, high = rule.between
        return ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high)
    if rule.not_ahead is not None:
        return ExpectColumnValuesToBeBetween(column=column, max_value=rule.not_ahead)
    if rule.one_of is not None:
        return ExpectColumnValuesToBeInSet(column=column, value_set=[*rules.allowed(rule)])
    if rule.kind == "there":
        return ExpectColumnValuesToNotBeNull(column=column)
    if rule.kind in {"time", "number"}:
        regex = r"^[12][0-9]{3}-" if rule.kind == "time" else r"^-?[0-9]"
        return ExpectColumnValuesToMatchRegex(column=column, regex=regex)
    passing = facts.FORMED if rule.form is not None else facts.OBJECT
    return ExpectColumnValuesToBeInSet(column=column, value_set=[passing])
