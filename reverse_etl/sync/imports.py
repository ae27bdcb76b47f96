"""Klaviyo's bulk imports: jobs that are begun, waited for, and read to their last error."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from perennial.crash import crash_point
from reverse_etl.destinations import klaviyo_profiles as api
from reverse_etl.destinations.http import is_refusal, json_object
from reverse_etl.destinations.klaviyo import said
from reverse_etl.sync import book
from reverse_etl.sync.book import Outcome, Sending
from reverse_etl.sync.calls import StoppedError, UnknownOutcomeError
from reverse_etl.sync.keeper import Keeper

_PLACE = re.compile(r"/data/attributes/profiles/data/(\d+)(?:/|$)")
_LIST = "/data/relationships/lists"
_NOT_FOUND = 404
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 5.0
_UNTOLD = "Klaviyo refused profiles of this import without saying which; it is sent again"


@dataclass(frozen=True, slots=True)
class Entry(Sending):
    """An item of a job, with its profile."""

    profile: Mapping[str, Any]


@dataclass
class Imports:
    """The jobs of one mirror; with a ``list_id`` its profiles are put on that list."""

    keeper: Keeper
    list_id: str | None = None

    async def resolve(self) -> None:
        """Learn what became of everything that was begun and not finished: by this sync, or one that was killed.

        Raises ``StoppedError`` while Klaviyo still works on it.
        """
        with self.keeper.ledger.read() as connection:
            in_doubt = book.in_doubt(connection, self.keeper.mirror)
            jobs = book.jobs(connection, self.keeper.mirror)
        if in_doubt:
            # A job of ours that we know nothing of could still undo what is sent after it.
            await self._wait(self._has_no_unfinished_job)
            with self.keeper.ledger.write() as connection:
                book.let_go(connection, self.keeper.mirror)
        for job_id in jobs:
            await self._finish(job_id)

    async def send(self, rows: Sequence[Entry]) -> None:
        """Begin jobs for rows, as large as they may be."""
        batch: list[Entry] = []
        size = 0
        for row in rows:
            bytes_of_row = api.size_of(row.profile)
            if bytes_of_row > api.MOST_BYTES_OF_A_PROFILE:
                self.keeper.begin([row])
                self.keeper.settle([Outcome(row.item, "a profile may have 100 KB at the most")])
                continue
            if batch and (len(batch) == api.MOST_PROFILES or size + bytes_of_row > api.MOST_BYTES - 1_000):
                await self._begin(batch)
                batch, size = [], 0
            batch.append(row)
            size += bytes_of_row
        if batch:
            await self._begin(batch)

    async def _begin(self, rows: Sequence[Entry]) -> None:
        """Begin a job; of one that is refused as a whole take out what is wrong and begin it again."""
        self.keeper.check_time()
        response = await self._post(rows)
        document = json_object(response)
        if not is_refusal(response):
            job_id = ((document or {}).get("data") or {}).get("id")
            if not isinstance(job_id, str):
                raise StoppedError("an import was taken without an id; the rest waits for the next sync")
            crash_point("sync_job_begun")
            with self.keeper.ledger.write() as connection:
                book.note_job(connection, self.keeper.mirror, [row.item for row in rows], job_id)
            return
        reason = f"HTTP {response.status_code}{said(document, _values(rows))}"
        pointers = _pointers(document)
        if response.status_code == _NOT_FOUND or any(pointer.startswith(_LIST) for pointer in pointers):
            raise StoppedError(f"{reason}; check the list's id under mirror: in the audience's YAML")
        bad = {int(match[1]) for pointer in pointers if (match := _PLACE.match(pointer))} & set(
            range(len(rows))
        )
        if len(rows) == 1:
            bad = {0}
        self.keeper.settle([Outcome(rows[place].item, reason) for place in sorted(bad)])
        good = [row for place, row in enumerate(rows) if place not in bad]
        if bad and good:
            await self._begin(good)
        elif good:
            half = len(good) // 2
            await self._begin(good[:half])
            await self._begin(good[half:])

    async def _post(self, rows: Sequence[Entry]) -> httpx.Response:
        body = api.bulk_import([row.profile for row in rows], self.list_id)
        for _ in range(self.keeper.calls.patience.tries):
            self.keeper.begin(rows)
            try:
                return await self.keeper.calls.make(
                    (api.BULK_IMPORT,),
                    "POST",
                    api.JOBS,
                    body,
                    is_repeatable=False,
                    may_lack=self.list_id is not None,
                )
            except UnknownOutcomeError:
                await self._wait(self._has_no_unfinished_job)
        raise StoppedError("every answer was lost; the rest waits for the next sync")

    async def _has_no_unfinished_job(self) -> bool:
        response = await self.keeper.calls.make((api.READ_JOBS,), "GET", api.unfinished_jobs_path())
        found = json_object(response)
        if is_refusal(response) or found is None:
            raise StoppedError(f"HTTP {response.status_code}: the account's imports can't be read")
        return not found.get("data")

    async def _finish(self, job_id: str) -> None:
        """Wait for the end of a job and note what became of each of its rows."""
        ended: dict[str, Any] = {}

        async def has_ended() -> bool:
            response = await self.keeper.calls.make(
                (api.READ_JOB,), "GET", api.job_path(job_id), may_lack=True
            )
            attributes = ((json_object(response) or {}).get("data") or {}).get("attributes") or {}
            ended.update(attributes, is_gone=is_refusal(response))
            return ended["is_gone"] or attributes.get("status") in {"complete", "cancelled"}

        await self._wait(has_ended)
        with self.keeper.ledger.read() as connection:
            items = book.of_job(connection, self.keeper.mirror, job_id)
        if ended["is_gone"] or ended.get("status") == "cancelled":
            # how far it came is not known: all of it is sent again
            with self.keeper.ledger.write() as connection:
                book.let_go(connection, self.keeper.mirror, job_id)
            return
        errors = await self._errors(job_id, items)
        untold = int(ended.get("failed_count") or 0) > len(errors)
        outcomes = [Outcome(item, errors.get(item, _UNTOLD if untold else None)) for item in items]
        self.keeper.settle(outcomes)

    async def _errors(self, job_id: str, items: Sequence[str]) -> dict[str, str]:
        """Return the reason of each item that a job refused."""
        found: dict[str, str] = {}
        path: str | None = api.errors_path(job_id)
        while path is not None:
            response = await self.keeper.calls.make((api.READ_ERRORS,), "GET", path)
            document = json_object(response)
            if is_refusal(response) or document is None:
                raise StoppedError(f"HTTP {response.status_code}: the errors of an import can't be read")
            for error in document.get("data") or []:
                attributes = error.get("attributes") or {}
                pointer = str((attributes.get("source") or {}).get("pointer") or "")
                match = _PLACE.match(pointer)
                if match and int(match[1]) < len(items):
                    payload = attributes.get("original_payload")
                    sent = {"payload": payload, "item": items[int(match[1])]}
                    found[items[int(match[1])]] = f"import error{said({'errors': [attributes]}, sent)}"
            path = api.next_page(document)
        return found

    async def _wait(self, is_over: Any) -> None:  # noqa: ANN401 - a coroutine function without arguments
        """Ask again and again until something is over, each time a little later."""
        deadline = time.monotonic() + self.keeper.calls.patience.longest_pause
        wait = _FIRST_WAIT
        while not await is_over():
            self.keeper.check_time()
            if time.monotonic() + wait > deadline:
                raise StoppedError("an import is still worked on there; the next sync reads how it ends")
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, _LONGEST_WAIT)


def _pointers(document: Mapping[str, Any] | None) -> list[str]:
    errors = (document or {}).get("errors")
    found = []
    for error in errors if isinstance(errors, list) else []:
        source = error.get("source") if isinstance(error, dict) else None
        pointer = source.get("pointer") if isinstance(source, dict) else None
        if isinstance(pointer, str):
            found.append(pointer)
    return found


def _values(rows: Sequence[Entry]) -> dict[str, Any]:
    """Return what was sent, for blanking: of a large job the first error is about few of its rows."""
    return {row.item: row.profile for row in rows[:1_000]}
