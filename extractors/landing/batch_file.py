"""A batch as one immutable Parquet file.

Columns, in this order: seq, row_no (place in its batch, from 1), source, stream, source_key, received_at
(UTC, microseconds), headers (JSON), request (JSON), payload (text as received). The batch's name and the time
it landed are in the file's metadata, so that a lost manifest entry can be made again from the file alone.
"""

import io
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


def label_of(file: BinaryIO) -> tuple[Label, dict[str, int], int]:
    """Return what a batch file says of itself, its rows by ``source/stream`` and its rows in all."""
    parquet = pq.ParquetFile(file, page_checksum_verification=True)
    label = msgspec.json.decode(parquet.schema_arrow.metadata[b"perennial.batch"], type=Label)
    streams: dict[str, int] = {}
    for batch in parquet.iter_batches(columns=["source", "stream"]):
        for row in batch.to_pylist():
            key = f"{row['source']}/{row['stream']}"
            streams[key] = streams.get(key, 0) + 1
    return label, streams, parquet.metadata.num_rows


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
