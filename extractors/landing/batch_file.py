"""Batches as immutable Parquet files.

Columns, in this order: seq, row_no (place in its batch, from 1), source, stream, source_key, received_at
(UTC, microseconds), headers (JSON), request (JSON), payload (text as received). The batch's name and the time
it landed are in the file's metadata, so that a lost manifest entry can be made again from the file alone. A file
that replaces others (``rewriting.py``) holds several batches in their order, and the labels of them all.
"""

import io
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from extractors.landing.records import LandedRecord, Record

_Note = TypeVar("_Note")
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
# A reader of a few batches skips by the zone map of seq what it need not read; so a group is neither the whole
# file nor so small that its footer costs more than it saves.
_GROUP_ROWS = 20_000
_GROUP_BYTES = 32 * 1024 * 1024
_PARQUET = {"compression": "zstd", "write_page_checksum": True}
_LABEL, _LABELS, _NOTE = b"perennial.batch", b"perennial.batches", b"perennial.rewrite"


@dataclass(frozen=True, slots=True)
class Label:
    """What a file says of a batch in it."""

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
        schema=SCHEMA.with_metadata({_LABEL: msgspec.json.encode(label)}),
    )
    target = io.BytesIO()
    pq.write_table(table, target, **_PARQUET)
    return target.getvalue()


def encode_several(labels: Sequence[Label], note: object, pieces: Iterable[pa.Table]) -> bytes:
    """Return several batches as the bytes of one Parquet file, read and written piece by piece.

    ``note`` is what the file says of how it came to be.
    """
    target = io.BytesIO()
    metadata = {_LABELS: msgspec.json.encode(labels), _NOTE: msgspec.json.encode(note)}
    with pq.ParquetWriter(target, SCHEMA.with_metadata(metadata), **_PARQUET) as writer:
        for group in _groups(pieces):
            writer.write_table(group, row_group_size=group.num_rows)
    return target.getvalue()


def _groups(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    group: list[pa.Table] = []
    rows = size = 0
    for piece in pieces:
        group.append(piece)
        rows, size = rows + piece.num_rows, size + piece.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.concat_tables(group).combine_chunks()
            group, rows, size = [], 0, 0
    if group:
        yield pa.concat_tables(group).combine_chunks()


def warm_up() -> None:
    """Load now what pyarrow loads at its first array: a second that a request would have to wait."""
    encode(Label(0, "", datetime.min.replace(tzinfo=UTC)), [])


def labels_of(file: BinaryIO) -> list[Label]:
    """Return what a file says of the batches in it."""
    metadata = pq.read_schema(file).metadata or {}
    if _LABEL in metadata:
        return [msgspec.json.decode(metadata[_LABEL], type=Label)]
    return msgspec.json.decode(metadata[_LABELS], type=list[Label])


def note_of(file: BinaryIO, kind: type[_Note]) -> _Note:
    """Return what a file of several batches says of how it came to be."""
    metadata = pq.read_schema(file).metadata or {}
    return msgspec.json.decode(metadata[_NOTE], type=kind)


def counts(file: BinaryIO) -> dict[int, dict[str, int]]:
    """Read every byte of a file and return the rows of each batch in it by ``source/stream``."""
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for piece in pieces(file):
        groups = piece.group_by(["seq", "source", "stream"], use_threads=False).aggregate([([], "count_all")])
        for row in groups.to_pylist():
            found[row["seq"]][f"{row['source']}/{row['stream']}"] += row["count_all"]
    return {seq: dict(streams) for seq, streams in found.items()}


def pieces(file: BinaryIO) -> Iterator[pa.Table]:
    """Yield a file's rows in their order, some at a time."""
    parquet = pq.ParquetFile(file, page_checksum_verification=True)
    for batch in parquet.iter_batches(batch_size=_ROWS_AT_A_TIME):
        yield pa.Table.from_batches([batch]).cast(SCHEMA)


def decode(file: BinaryIO, source: str, stream: str, seqs: Collection[int]) -> Iterator[LandedRecord]:
    """Yield the records of one stream in some of a file's batches, in the order of the log.

    Row groups without these batches are not read: a few batches of a merged file cost what they hold.
    """
    parquet = pq.ParquetFile(file, page_checksum_verification=True)
    wanted_seqs = pa.array(sorted(seqs), type=pa.int64())
    groups = _groups_of(parquet.metadata, sorted(seqs))
    for batch in parquet.iter_batches(batch_size=_ROWS_AT_A_TIME, row_groups=groups):
        of_stream = pc.and_(pc.equal(batch["source"], source), pc.equal(batch["stream"], stream))
        wanted = pc.and_(of_stream, pc.is_in(batch["seq"], wanted_seqs))
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


def _groups_of(metadata: pq.FileMetaData, seqs: Sequence[int]) -> list[int]:
    """Return the row groups whose zone map of ``seq`` has room for one of some batches, given in order."""
    found = []
    for group in range(metadata.num_row_groups):
        zone = metadata.row_group(group).column(0).statistics
        if zone is None or bisect_left(seqs, zone.min) < bisect_right(seqs, zone.max):
            found.append(group)
    return found


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()
