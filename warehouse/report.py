"""What a build did."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Lane = Literal["hot", "scheduled"]


@dataclass(frozen=True, slots=True)
class NodeResult:
    """How one dbt node went. ``rows`` is what its table holds afterwards, None where that is unknown or no table."""

    unique_id: str
    resource_type: str
    status: str
    seconds: float
    rows: int | None = None
    message: str = ""

    @property
    def name(self) -> str:
        """What the node is called; dbt ends the id of a data test with a hash."""
        parts = self.unique_id.split(".")
        return parts[2] if self.resource_type == "test" else parts[-1]

    @property
    def ok(self) -> bool:
        """Whether the node lets the build go on."""
        return self.status in {"success", "pass", "warn", "skipped", "no-op"}

    @property
    def line(self) -> str:
        """What an analyst reads of it: the status and the name, and dbt's words where it did not go well."""
        return f"{self.status:8} {self.name}{'' if self.ok else f': {self.message}'}"


@dataclass(frozen=True, slots=True)
class BuildReport:
    """How one moment went: its number, instant and reach, and each node in the order in which it ended.

    ``advice`` is what a person should do about a deployment, whether or not the moment is finished.
    """

    build_no: int
    as_of: datetime
    upto_seq: int
    lane: Lane
    seconds: float
    decisions: int
    nodes: list[NodeResult] = field(default_factory=list)
    error: str | None = None
    advice: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the moment is finished: every node went well and what was decided is landed."""
        return self.error is None


OnNode = Callable[[NodeResult], None]


def ignore(_: NodeResult) -> None:
    """Listen to nothing."""
