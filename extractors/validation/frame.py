"""Reads the new rows as frames that hold what the suites ask about, and no payload.

Great Expectations shows examples of what it rejects, in its results and its Data Docs. So payload and source
key are turned into statements about them here, and no person's data can get there.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import duckdb
import fsspec
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from extractors.landing.batches import LandedFile
from extractors.landing.log import LandingLog
from extractors.validation.facts import Facts
from extractors.validation.rules import StreamRules
from perennial.errors import LandingError
from perennial.streams import KEYED

_READ = ["seq", "row_no", "source", "stream", "source_key", "received_at", "headers", "payload"]
_ROWS_AT_A_TIME = 10_000
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Frames:
    """What suites judge: a row for each landed row of a range, and again for each row of a stream with its rules."""

    envelopes: pa.Table
    streams: Mapping[str, pa.Table]


def new_frames(log: LandingLog, after_seq: int, upto_seq: int, rules: Mapping[str, StreamRules]) -> Frames:
    """Return the landed rows with ``after_seq < seq <= upto_seq`` as statements about them.

    Columns of an envelope: seq, row_no, source, stream, source_stream, has_source_key (true where its stream needs
    none), received_at, payload_is_object. Raises ``LandingError`` at a file that is missing or damaged.
    """
    facts = {stream: Facts(of_stream) for stream, of_stream in rules.items()}
    envelopes: list[pa.Table] = []
    streams: dict[str, list[pa.Table]] = {}
    with duckdb.connect() as engine:
        engine.execute("set TimeZone = 'UTC'")
        for rows in _gathered(_batches(log, after_seq, upto_seq)):
            envelope = _statements(rows)
            envelopes.append(envelope)
            for stream in pc.unique(envelope["source_stream"]).to_pylist():
                if stream in facts:
                    streams.setdefault(stream, []).append(facts[stream].of(rows, engine))
    return Frames(
        pa.concat_tables(envelopes), {stream: pa.concat_tables(parts) for stream, parts in streams.items()}
    )


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Put small batches together: a log has many of a row or two, and each table costs its own query."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= _ROWS_AT_A_TIME:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _batches(log: LandingLog, after_seq: int, upto_seq: int) -> Iterator[pa.RecordBatch]:
    for file in log.files(after_seq, upto_seq):
        try:
            with _opened(file) as stream:
                parquet = pq.ParquetFile(stream, page_checksum_verification=True)
                # A file of several batches may reach beyond the range; of any other every row is looked at,
                # one that claims a foreign seq too.
                reaches_beyond = parquet.metadata.num_rows > file.rows
                if missing := set(_READ).difference(parquet.schema_arrow.names):
                    raise KeyError(*sorted(missing))  # noqa: TRY301 - damage like the others below
                for batch in parquet.iter_batches(batch_size=_ROWS_AT_A_TIME, columns=_READ):
                    yield _inside(batch, after_seq, upto_seq) if reaches_beyond else batch
        except (OSError, KeyError, pa.ArrowException) as error:
            raise LandingError(
                f"the landing file {file.path} (seq {file.first_seq} to {file.last_seq}) is missing or "
                f"damaged: {type(error).__name__}",
                "restore that one file from a backup; nothing of it was loaded, new batches land meanwhile",
            ) from error


def _inside(batch: pa.RecordBatch, after_seq: int, upto_seq: int) -> pa.RecordBatch:
    return batch.filter(pc.and_(pc.greater(batch["seq"], after_seq), pc.less_equal(batch["seq"], upto_seq)))


def _statements(batch: pa.Table) -> pa.Table:
    source_stream = pc.binary_join_element_wise(batch["source"], batch["stream"], "/")
    keyed = pc.is_in(source_stream, value_set=pa.array(sorted(KEYED)))
    named = pc.fill_null(pc.greater(pc.utf8_length(batch["source_key"]), 0), fill_value=False)
    return pa.table(
        {
            "seq": batch["seq"],
            "row_no": batch["row_no"],
            "source": batch["source"],
            "stream": batch["stream"],
            "source_stream": source_stream,
            "has_source_key": pc.or_(named, pc.invert(keyed)),
            "received_at": batch["received_at"],
            "payload_is_object": pa.array(_objects(batch["payload"].to_pylist()), type=pa.bool_()),
        },
    )


def _objects(payloads: Sequence[str | None]) -> list[bool]:
    return [payload is not None and _is_object(payload) for payload in payloads]


def _is_object(payload: str) -> bool:
    try:
        _OBJECT.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True


@contextmanager
def _opened(file: LandedFile) -> Iterator[BinaryIO]:
    if "://" in file.path:
        with fsspec.open(file.path, "rb") as stream:
            yield cast("BinaryIO", stream)
    else:
        with Path(file.path).open("rb") as stream:
            yield stream
