"""What the generator knows and no vendor says: who is who, and what each flow should do.

Only tests and reports read it.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from sandbox.world.ids import from_us


@dataclass(frozen=True, slots=True)
class Identity:
    """A record of a person. ``mess`` names what makes it hard to see ('' where nothing does)."""

    person_id: str
    record_type: str
    record_id: str
    mess: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a flow should do about a trigger: enroll the person, or skip it for this reason.

    ``at`` is in microseconds since 1970, ``reason`` one of the gates' names, ``detail`` what it rests on.
    """

    flow_name: str
    trigger_id: str
    at: int
    person_id: str
    eligible: bool
    reason: str | None
    detail: dict[str, object]


@dataclass
class Truth:
    """Both tables; filled while the world is made."""

    people: list[Identity] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write ``people.parquet`` and ``expected.parquet``."""
        folder.mkdir(parents=True, exist_ok=True)
        people = pa.table(
            {
                name: pa.array([getattr(row, name) for row in self.people], pa.string())
                for name in ("person_id", "record_type", "record_id", "mess")
            }
        )
        pq.write_table(people, folder / "people.parquet", compression="zstd")
        rows = [
            asdict(row)
            for row in sorted(self.expected, key=lambda row: (row.at, row.flow_name, row.trigger_id))
        ]
        for row in rows:
            row["at"] = from_us(row["at"])
            row["detail"] = msgspec.json.encode(row["detail"]).decode()
        schema = pa.schema(
            [
                ("flow_name", pa.string()),
                ("trigger_id", pa.string()),
                ("at", pa.timestamp("us", tz="UTC")),
                ("person_id", pa.string()),
                ("eligible", pa.bool_()),
                ("reason", pa.string()),
                ("detail", pa.string()),
            ]
        )
        pq.write_table(pa.Table.from_pylist(rows, schema), folder / "expected.parquet", compression="zstd")
