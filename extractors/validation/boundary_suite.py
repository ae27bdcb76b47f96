"""The expectations of the landing boundary, in one list.

Imports Great Expectations, which takes seconds: ``suite`` imports this module where it has rows to look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from great_expectations.expectations.core.expect_column_values_to_be_between import (
    ExpectColumnValuesToBeBetween,
)
from great_expectations.expectations.core.expect_column_values_to_be_in_set import ExpectColumnValuesToBeInSet
from great_expectations.expectations.core.expect_column_values_to_not_be_null import (
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.core.expect_compound_columns_to_be_unique import (
    ExpectCompoundColumnsToBeUnique,
)
from great_expectations.expectations.core.expect_table_row_count_to_be_between import (
    ExpectTableRowCountToBeBetween,
)

from extractors.validation.expected import Expected
from perennial.streams import KNOWN

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Range:
    """What is known of the rows: ``after_seq < seq <= upto_seq``, how many, none later than ``latest``."""

    after_seq: int
    upto_seq: int
    rows: int
    latest: datetime


def expectations(landed: Range) -> Sequence[Expected]:
    """Return the suite's expectations."""
    return [
        Expected(
            "rows_as_in_manifest",
            "The files hold as many rows as the manifest says.",
            blocking=True,
            expectation=ExpectTableRowCountToBeBetween(min_value=landed.rows, max_value=landed.rows),
        ),
        Expected(
            "seq_in_range",
            "Each row carries the seq of a batch in the range that is to be loaded.",
            blocking=True,
            expectation=ExpectColumnValuesToBeBetween(
                column="seq", min_value=landed.after_seq, max_value=landed.upto_seq, strict_min=True
            ),
        ),
        Expected(
            "place_is_unique",
            "No two rows have the same place (seq and row_no) in the log.",
            blocking=True,
            expectation=ExpectCompoundColumnsToBeUnique(column_list=["seq", "row_no"]),
        ),
        Expected(
            "source_is_there",
            "Each row says which source it came from.",
            blocking=True,
            expectation=ExpectColumnValuesToNotBeNull(column="source"),
        ),
        Expected(
            "stream_is_there",
            "Each row says which stream it belongs to.",
            blocking=True,
            expectation=ExpectColumnValuesToNotBeNull(column="stream"),
        ),
        Expected(
            "received_at_is_there",
            "Each row says when it was received.",
            blocking=True,
            expectation=ExpectColumnValuesToNotBeNull(column="received_at"),
        ),
        Expected(
            "received_at_is_plausible",
            "No row was received before the year 2000 or later than five minutes from now.",
            blocking=False,
            expectation=ExpectColumnValuesToBeBetween(
                column="received_at", min_value=_EARLIEST, max_value=landed.latest
            ),
        ),
        Expected(
            "stream_is_known",
            "Each row belongs to a source and stream that models read.",
            blocking=False,
            expectation=ExpectColumnValuesToBeInSet(column="source_stream", value_set=sorted(KNOWN)),
        ),
        Expected(
            "source_key_is_there",
            "Each row of a stream that has source keys carries one.",
            blocking=False,
            expectation=ExpectColumnValuesToBeInSet(column="has_source_key", value_set=[True]),
        ),
        Expected(
            "payload_is_object",
            "Each payload is the text of a JSON object.",
            blocking=False,
            expectation=ExpectColumnValuesToBeInSet(column="payload_is_object", value_set=[True]),
        ),
    ]
