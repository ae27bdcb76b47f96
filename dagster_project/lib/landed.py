"""What the landing log says about a stream since an asset was last made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import dagster as dg

from extractors.landing.batches import Batch


@dataclass(frozen=True, slots=True)
class Arrived:
    """Rows of one stream in a run of batches; ``last_path`` is the newest batch's file in the log."""

    rows: int
    batches: int
    last_seq: int
    last_path: str | None

    def metadata(self, landing_url: str) -> dict[str, Any]:
        """Return what an operator wants to see on the asset."""
        shown: dict[str, Any] = {"rows": self.rows, "batches": self.batches, "last_seq": self.last_seq}
        if self.last_path is not None:
            shown["newest_batch"] = dg.MetadataValue.path(str(PurePosixPath(landing_url) / self.last_path))
        return shown


def arrived(stream: str, batches: Sequence[Batch], *, seen: int) -> Arrived:
    """Count a stream's rows in the batches after ``seen``."""
    news = [batch for batch in batches if batch.seq > seen and stream in batch.streams]
    return Arrived(
        rows=sum(batch.streams[stream] for batch in news),
        batches=len(news),
        last_seq=max((batch.seq for batch in batches), default=seen),
        last_path=news[-1].path if news else None,
    )


def last_seen(context: dg.AssetExecutionContext, key: dg.AssetKey) -> int:
    """Return the ``last_seq`` that the asset's newest materialisation noted; 0 before the first."""
    event = context.instance.get_latest_materialization_event(key)
    if event is None or event.asset_materialization is None:
        return 0
    noted = event.asset_materialization.metadata.get("last_seq")
    return noted.value if isinstance(noted, dg.IntMetadataValue) and noted.value is not None else 0
