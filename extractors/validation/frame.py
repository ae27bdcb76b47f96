"""Reads the new rows as a frame that holds what the suite asks about, and no payload.

Great Expectations shows examples of what it rejects, in its results and its Data Docs. So payload and source
key are turned into statements about them here, and no person's data can get there.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import fsspec
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from extractors.landing.batches import LandedFile
from extractors.landing.log import LandingLog
from extractors.validation.streams import KEYED_STREAMS
from perennial.errors import LandingError

_READ = ["seq", "row_no", "source", "stream", "source_key", "received_at", "payload"]
_ROWS_AT_A_TIME = 10_000
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def new_rows(log: LandingLog, after_seq: int, upto_seq: int) -> pa.Table:
    """Return a row for each landed row with ``after_seq < seq <= upto_seq``.

    Columns: seq, row_no, source, stream, source_stream, has_source_key (true where its stream needs none),
    received_at, payload_is_object. Raises ``LandingError`` at a file that is missing or damaged.
    """
    parts: list[pa.Table] = []
    for file in log.files(after_seq, upto_seq):
        try:
            with _opened(file) as stream:
                parquet = pq.ParquetFile(stream, page_checksum_verification=True)
                # A file of several batches may reach beyond the range; of any other every row is looked at,
                # one that claims a foreign seq too.
                reaches_beyond = parquet.metadata.num_rows > file.rows
                for batch in parquet.iter_batches(batch_size=_ROWS_AT_A_TIME, columns=_READ):
                    rows = _inside(batch, after_seq, upto_seq) if reaches_beyond else batch
                    parts.append(_statements(rows))
        except (OSError, KeyError, pa.ArrowException) as error:
            raise LandingError(
                f"the landing file {file.path} (seq {file.first_seq} to {file.last_seq}) is missing or "
                f"damaged: {type(error).__name__}",
                "restore that one file from a backup; nothing of it was loaded, new batches land meanwhile",
            ) from error
    return pa.concat_tables(parts)


def _inside(batch: pa.RecordBatch, after_seq: int, upto_seq: int) -> pa.RecordBatch:
    return batch.filter(pc.and_(pc.greater(batch["seq"], after_seq), pc.less_equal(batch["seq"], upto_seq)))


def _statements(batch: pa.RecordBatch) -> pa.Table:
    source_stream = pc.binary_join_element_wise(batch["source"], batch["stream"], "/")
    keyed = pc.is_in(source_stream, value_set=pa.array(sorted(KEYED_STREAMS)))
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
