"""Walks the pages of a window, lands each, and can go on in the middle.

What the vendor leaves open, and what is done about it: the longest page it serves is unknown, so the length
of the first page counts and not the length asked for; the set may grow between two pages (``order_by=asc``
puts what is new at the end) or shrink (then the page before is read again, since a record may have slipped
back into it).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from extractors.flowhub.landing import Context, Find, Tally, land, marker_of
from extractors.flowhub.pages import Page
from extractors.flowhub.prefetch import prefetch
from extractors.flowhub.records import Named, named
from extractors.flowhub.run import Run, Stream
from extractors.pulled import content_hash, rfc3339
from perennial.errors import VendorError

_QUIET_SECONDS = 2.0
PAGE_SIZE = 500  # the largest that two independent integrations are known to use


@dataclass(frozen=True, slots=True)
class Source:
    """Where a run's pages come from: the path, its parameters, and how a response is read."""

    path: str
    params: dict[str, str]
    read: Callable[[bytes, str, int], Page]


@dataclass(frozen=True, slots=True)
class _Answer:
    """A page as it came: its records, and how it was asked for."""

    page: Page
    records: Sequence[Named]
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Step:
    """What a page means: what of it is new, how its run stands after it, whether it was the last."""

    fresh: Sequence[Named]
    after: Run
    ended: bool


def walk(context: Context, run: Run, source: Source, tally: Tally, *, sweep: bool) -> None:
    """Read and land all pages of a run from where it stands, then close it with its marker.

    While a page is landed the next one is asked for.
    """
    said_at = time.monotonic()
    answer = _ask(context, run.stream, source, run.next_page)
    while True:
        step = _judge(context, run, source, answer)
        number = step.after.next_page
        coming = None if step.ended else prefetch(partial(_ask, context, run.stream, source, number))
        seq = _land(context, run, answer, step, sweep=sweep)
        _count(tally, answer.records, step.fresh, seq)
        if coming is None:
            return
        run = step.after
        if time.monotonic() - said_at > _QUIET_SECONDS:
            said_at = time.monotonic()
            context.say(f"flowhub/{run.stream}: {run.records:,} of {run.total or 'an unknown number'} read")
        answer = coming.result()


def _ask(context: Context, stream: Stream, source: Source, number: int) -> _Answer:
    """Ask for a page; runs in a thread too, so it touches neither state nor log."""
    asked_at = context.clock.now()
    params: dict[str, str | int] = {**source.params, "page": number, "page_size": PAGE_SIZE}
    page = source.read(context.client.get(source.path, params), source.path, number)
    request = {
        "url": context.client.url(source.path),
        **params,
        "started_at": rfc3339(asked_at),
        "ended_at": rfc3339(context.clock.now()),
    }
    return _Answer(page, [named(text, stream) for text in page.records], request)


def _judge(context: Context, run: Run, source: Source, answer: _Answer) -> _Step:
    """Tell what is new on a page, and where the run goes from it."""
    number, page = run.next_page, answer.page
    digest = content_hash("".join(one.hash for one in answer.records))
    repeated = bool(answer.records) and digest == run.last_digest
    if repeated and (page.total is not None or len(answer.records) >= PAGE_SIZE):
        raise VendorError(
            f"Flowhub served the same page twice (pages {number - 1} and {number} of {source.path})",
            "nothing is lost: the window is not closed. If it lasts, report the path to Flowhub",
        )
    fresh = _fresh(context, run, answer.records)
    after, ended = _after(run, page, digest, len(fresh), repeated=repeated)
    return _Step(fresh, after, ended)


def _land(context: Context, run: Run, answer: _Answer, step: _Step, *, sweep: bool) -> int | None:
    """Land what is new, then commit it to the state; return the batch's seq."""
    after = step.after
    complete = after.total is None or after.records >= after.total
    marker = marker_of(context, after, complete=complete) if step.ended else None
    seq = land(context, run, Find(run.next_page, step.fresh, answer.request), marker)
    hashes = {one.key: one.hash for one in step.fresh}
    if step.ended and complete:
        context.state.complete(after, hashes, sweep=sweep)
        return seq
    context.state.page_landed(after, hashes)
    if step.ended:
        context.state.give_up(after)
        context.say(
            f"flowhub/{run.stream}: {after.total} were announced and {after.records} came; "
            "the window is read again"
        )
    return seq


def _fresh(context: Context, run: Run, records: Sequence[Named]) -> list[Named]:
    """Return those that differ from the version that landed last, in their order."""
    known = context.state.hashes(run.stream, run.location_id, {one.key for one in records})
    fresh = []
    for one in records:
        if known.get(one.key) != one.hash:
            known[one.key] = one.hash
            fresh.append(one)
    return fresh


def _after(run: Run, page: Page, digest: str, changed: int, *, repeated: bool) -> tuple[Run, bool]:
    """Return the run after a page, and whether that was its last."""
    number, length = run.next_page, 0 if repeated else len(page.records)
    page_length = length if number == 1 else run.page_length
    shrunk = number > 1 and page.total is not None and run.total is not None and page.total < run.total
    if page.total is not None:
        ended = not length or (number - 1) * page_length + length >= page.total
    else:
        ended = not length or (number > 1 and length < page_length)
    ended = ended and not shrunk
    after = replace(
        run,
        next_page=number - 1 if shrunk else number + 1,
        records=(number - 1) * page_length + length,
        changed=run.changed + changed,
        total=page.total,
        page_length=page_length,
        last_digest=digest,
    )
    return after, ended


def _count(tally: Tally, records: Sequence[Named], fresh: Sequence[Named], seq: int | None) -> None:
    tally.pages += 1
    tally.records += len(records)
    tally.landed += len(fresh)
    if seq is not None:
        tally.seqs.append(seq)
