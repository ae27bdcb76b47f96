"""The operators for numbers, texts and yes-or-no traits: never null, and the same on both engines."""

from typing import Any

import duckdb
import pytest

from tests.dbt.operators.told import VALUES, Wrong, operators, value_answers


def test_each_operator_says_yes_or_no() -> None:
    """What is unknown is only ever `is_unknown`."""
    connection = duckdb.connect()
    found = value_answers(lambda statement: connection.execute(statement).fetchall())
    assert found == [is_true for *_, is_true in VALUES]


@pytest.mark.parametrize(
    ("operator", "arguments", "cause"),
    [
        ("more_than", ("x", "ten"), "'ten' is no number"),
        ("exactly", ("x", None), "'None' is no number"),
        ("in_range", ("x", 10, 9), "10 is more than 9"),
        ("contains", ("x", " "), "the text is empty"),
    ],
)
def test_what_can_not_be_read_does_not_compile(operator: str, arguments: tuple[Any, ...], cause: str) -> None:
    """The error names the macro, what is wrong, and what to write."""
    with pytest.raises(Wrong, match=f"{operator}: {cause}. Write "):
        getattr(operators(), operator)(*arguments)
