"""Lands what a pull found to be new, with the marker that closes a run."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractors.flowhub.client import FlowhubClient
from extractors.flowhub.records import Named
from extractors.flowhub.run import Run, Stream
from extractors.flowhub.state import PullState
from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from extractors.pulled import StreamReport, rfc3339
from perennial.clock import Clock
from perennial.crash import crash_point

SOURCE = "flowhub"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(slots=True)
class Tally:
    """Counts while a stream is pulled."""

    stream: Stream
    pages: int = 0
    records: int = 0
    landed: int = 0
    seqs: list[int] = field(default_factory=list)

    def report(self, seconds: float) -> StreamReport:
        """Return the counts as they stand."""
        return StreamReport(
            stream=self.stream,
            pages=self.pages,
            records=self.records,
            landed=self.landed,
            unchanged=self.records - self.landed,
            seconds=seconds,
            first_seq=min(self.seqs, default=None),
            last_seq=max(self.seqs, default=None),
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What every step of a pull works with."""

    client: FlowhubClient
    state: PullState
    log: LandingLog
    landing_url: str
    clock: Clock
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Find:
    """What of a response is new, which page it was, and how it was asked for."""

    page: int
    fresh: Sequence[Named]
    request: Mapping[str, Any]


def land(context: Context, run: Run, find: Find, marker: Mapping[str, Any] | None) -> int | None:
    """Land what is new on a page, with the run's marker behind the last one, as one batch; return its seq.

    The name is made of the run, the page and what is new on it: the same page after a crash is the same
    batch, and a page that changed meanwhile is another one, so that neither is lost.
    """
    now = context.clock.now()
    records = [
        Record(SOURCE, run.stream, one.source_key, now, one.text, request=find.request) for one in find.fresh
    ]
    if marker is not None:
        records.append(
            Record(
                SOURCE, "pulls", run.pull_id, now, json.dumps(marker), request={"url": find.request["url"]}
            )
        )
    if not records:
        return None
    digest = hashlib.sha256("\n".join(one.source_key for one in find.fresh).encode()).hexdigest()[:8]
    location = _NOT_IN_A_NAME.sub("_", run.location_id) or "all"
    batch = context.log.append(
        f"{SOURCE}/{run.stream}/{location}/{run.pull_id}/{find.page}-{digest}", records
    )
    crash_point("flowhub_landed")
    context.state.note_log(context.landing_url, batch.seq, batch.name)
    return batch.seq


def marker_of(
    context: Context, run: Run, *, complete: bool, shelves: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the payload of a run's marker: absence is inferred only between two complete ones.

    ``shelves`` is what an inventory's marker says beside: its keys, and what was taken of what is there.
    """
    marker: dict[str, Any] = {
        "pull_id": run.pull_id,
        "stream": run.stream,
        "location_id": run.location_id or None,
        "started_at": rfc3339(run.started_at),
        "ended_at": rfc3339(context.clock.now()),
        "complete": complete,
        "records": run.records,
        "changed": run.changed,
    }
    return marker | dict(shelves or {})
