"""Finding a person's values in landed text, in whatever form a source wrote them."""

import json
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from erasure.person import Person
from extractors.landing.batches import LandedFile
from extractors.landing.disk_errors import landing_error

Place = tuple[int, int]
"""``seq`` and ``row_no``."""

_SHORTEST_ID = 8  # a shorter one stands in many rows that are not about her
_ROWS_AT_A_TIME = 10_000
_TEXTS = ("source_key", "headers", "request", "payload")
_EDGE_BEFORE, _EDGE_AFTER = "(?:^|[^0-9a-z])", "(?:[^0-9a-z]|$)"


class Traces:
    """Patterns of a person's values, in RE2's words, for text in lower case."""

    def __init__(self, person: Person) -> None:
        texts = person.emails | person.nodes | person.record_keys | person.customer_ids | person.decisions
        long_ids = {one for one in person.ids if len(one) >= _SHORTEST_ID}
        patterns = [_whole(text) for text in sorted(texts | long_ids)]
        patterns += [_digits(phone) for phone in sorted(person.phones)]
        self._any = "|".join(patterns)
        # a name alone is many people's; with a birth date or a street it is hers
        self._names = "|".join(_words(name) for name in sorted(person.names))
        self._with = "|".join(_words(text) for text in sorted(person.birth_dates | person.streets))

    def mask(self, table: pa.Table) -> pa.Array:
        """Tell which rows of landing hold a value of hers."""
        texts = [pc.fill_null(table[name], "") for name in _TEXTS]
        text = pc.utf8_lower(pc.binary_join_element_wise(*texts, "\n"))
        found = pc.match_substring_regex(text, self._any)
        if self._names and self._with:
            told = pc.and_(
                pc.match_substring_regex(text, self._names), pc.match_substring_regex(text, self._with)
            )
            found = pc.or_(found, told)
        return found

    def found_in(self, content: bytes) -> bool:
        """Tell whether some bytes hold a value of hers."""
        text = content.decode("utf-8", errors="replace").lower()
        return re.search(self._any, text) is not None


@dataclass(frozen=True, slots=True)
class Found:
    """A landed row that holds a value of hers: ``is_telling`` where that value is nobody else's."""

    stream: str
    place: Place
    is_telling: bool


def places(files: Collection[LandedFile], person: Person) -> Iterator[Found]:
    """Yield each landed row that holds a value of hers."""
    traces, telling = Traces(person), Traces(person.alone())
    for file in files:
        for table in _tables(file):
            rows = table.filter(traces.mask(table))
            told = telling.mask(rows).to_pylist()
            where = rows.select(["source", "stream", "seq", "row_no"]).to_pylist()
            for row, is_telling in zip(where, told, strict=True):
                yield Found(f"{row['source']}/{row['stream']}", (row["seq"], row["row_no"]), is_telling)


def _tables(file: LandedFile) -> Iterator[pa.Table]:
    try:
        with _opened(file) as stream:
            parquet = pq.ParquetFile(stream, page_checksum_verification=True)
            for batch in parquet.iter_batches(batch_size=_ROWS_AT_A_TIME):
                yield pa.Table.from_batches([batch])
    except OSError as error:
        raise landing_error(f"the landing file {file.path} can't be searched", error) from error


@contextmanager
def _opened(file: LandedFile) -> Iterator[BinaryIO]:
    if "://" in file.path:
        with fsspec.open(file.path, "rb") as stream:
            yield cast("BinaryIO", stream)
    else:
        with Path(file.path).open("rb") as stream:
            yield stream


def _whole(text: str) -> str:
    """Match a text where it stands alone: an id is not part of a longer one."""
    return f"{_EDGE_BEFORE}(?:{_spelled(text)}){_EDGE_AFTER}"


def _digits(phone: str) -> str:
    """Match a number with or without its country, whatever stands between its digits."""
    digits = re.sub(r"\D", "", phone)
    national = digits.removeprefix("1") if phone.startswith("+1") else digits
    return f"(?:^|[^0-9.])(?:{'[ ()./-]{0,3}'.join(['1?', *national])}){_EDGE_AFTER}"


def _words(text: str) -> str:
    return r"\s+".join(f"(?:{_spelled(word)})" for word in text.split())


def _spelled(text: str) -> str:
    """Match a text as it is, and as JSON may write letters beyond ASCII."""
    spellings = {text.lower(), json.dumps(text.lower())[1:-1]}
    return "|".join(sorted(re.escape(spelling) for spelling in spellings))
