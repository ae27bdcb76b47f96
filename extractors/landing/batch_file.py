"""A batch as one immutable Parquet file.

Columns, in this order: seq, row_no (place in its batch, from 1), source, stream, source_key, received_at
(UTC, microseconds), headers (JSON), request (JSON), payload (text as received). The batch's name and the time
it landed are in the file's metadata, so that a lost manifest entry can be made again from the file alone.
"""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from extractors.landing.records import LandedRecord, Record

SCHEMA = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("row_no", pa.int32(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("stream", pa.string(), nullable=False),
        pa.field("source_key", pa.string()),
        pa.field("received_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("headers", pa.string(), nullable=False),
        pa.field("request", pa.string(), nullable=False),
        pa.field("payload", pa.string(), nullable=False),
    ],
)
_ROWS_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class Label:
    """What a batch file says of itself."""

    seq: int
    name: str
    landed_at: datetime


def encode(label: Label, records: Sequence[Record]) -> bytes:
    """Return the batch as the bytes of a Parquet file."""
    columns = {
        "seq": [label.seq] * len(records),
        "row_no": range(1, len(records) + 1),
        "source": [record.source for record in records],
        "stream": [record.stream for record in records],
        "source_key": [record.source_key for record in records],
        "received_at": [record.received_at.astimezone(UTC) for record in records],
        "headers": [_json(dict(record.headers)) for record in records],
        "request": [_json(dict(record.request)) for record in records],
        "payload": [record.payload for record in records],
    }
    table = pa.table(
        [pa.array(columns[field.name], type=field.type) for field in SCHEMA],
        schema=SCHEMA.with_metadata({"perennial.batch": msgspec.json.encode(label)}),
    )
    target = io.BytesIO()
    pq.write_table(table, target, compression="zstd", write_page_checksum=True)
    return target.getvalue()


def warm_up() -> None:
    """Load now what pyarrow loads at its first array: a second that a request would have to wait."""
    encode(Label(0, "", datetime.min.replace(tzinfo=UTC)), [])


def label_of(file: BinaryIO) -> Label:
    """Return what a batch file says of itself."""
    metadata = pq.read_schema(file).metadata or {}
    return msgspec.json.decode(metadata[b"perennial.batch"], type=Label)


def counts(file: BinaryIO, seq: int) -> dict[str, int]:
    """Read every byte of a file and return one batch's rows by ``source/stream``."""
    parquet = pq.ParquetFile(file, page_checksum_verification=True)
    found: Counter[str] = Counter()
    for batch in parquet.iter_batches(batch_size=_ROWS_AT_A_TIME):
        rows = batch.filter(pc.equal(batch["seq"], seq))
        found.update(
            f"{source}/{stream}"
            for source, stream in zip(rows["source"].to_pylist(), rows["stream"].to_pylist(), strict=True)
        )
    return dict(found)


def decode(file: BinaryIO, source: str, stream: str) -> Iterator[LandedRecord]:
    """Yield a file's records of one stream, in the order of the log."""
    parquet = pq.ParquetFile(file, page_checksum_verification=True)
    for batch in parquet.iter_batches(batch_size=_ROWS_AT_A_TIME):
        wanted = pc.and_(pc.equal(batch["source"], source), pc.equal(batch["stream"], stream))
        for row in batch.filter(wanted).to_pylist():
            yield LandedRecord(
                source=row["source"],
                stream=row["stream"],
                source_key=row["source_key"],
                received_at=row["received_at"].astimezone(UTC),
                payload=row["payload"],
                headers=msgspec.json.decode(row["headers"]),
                request=msgspec.json.decode(row["request"]),
                seq=row["seq"],
                row_no=row["row_no"],
            )


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()
