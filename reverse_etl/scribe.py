"""The one writer of a push: what is asked for at the same time is done in one transaction.

Each call costs two durable commits. Gathering those of all calls in flight keeps fsyncs and statements far
below two a row, without any call starting before its own commit is on the disk.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection

from reverse_etl.ledger.store import Ledger

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Piece:
    work: Callable[[Connection, list[Any]], list[Any]]
    items: Sequence[Any]
    is_call: bool
    done: asyncio.Future[list[Any]]


class Scribe:
    """Runs work in shared transactions, in a thread of its own.

    ``catch_up`` runs before each transaction that begins a call. When it fails no call is begun, but what
    became of the calls in flight is still recorded.
    """

    def __init__(self, ledger: Ledger, catch_up: Callable[[], object]) -> None:
        self._ledger = ledger
        self._catch_up = catch_up
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._waiting: list[_Piece] = []
        self._writer: asyncio.Task[None] | None = None

    async def do(
        self, work: Callable[[Connection, list[Item]], list[Result]], item: Item, *, is_call: bool = False
    ) -> Result:
        """Have an item worked on; its result is committed when this returns.

        ``work`` is called once for all items that wait for it, and gives a result for each. A failure undoes
        the items of that work alone, unless the commit itself fails.
        """
        [result] = await self.do_all(work, [item], is_call=is_call)
        return result

    async def do_all(
        self,
        work: Callable[[Connection, list[Item]], list[Result]],
        items: Sequence[Item],
        *,
        is_call: bool = False,
    ) -> list[Result]:
        """Have several items worked on, in one transaction; return their results in order."""
        done: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Piece(work, items, is_call, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await done

    def close(self) -> None:
        """End the thread; what runs is finished."""
        self._thread.shutdown(wait=True)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            pieces, self._waiting = self._waiting, []
            try:
                results = await loop.run_in_executor(self._thread, self._commit, pieces)
            except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
                results = [error] * len(pieces)
            for piece, result in zip(pieces, results, strict=True):
                if piece.done.done():
                    continue
                if isinstance(result, BaseException):
                    piece.done.set_exception(result)
                else:
                    piece.done.set_result(result)

    def _commit(self, pieces: list[_Piece]) -> list[Any]:
        blind: Exception | None = None
        if any(piece.is_call for piece in pieces):
            try:
                self._catch_up()
            except Exception as error:  # noqa: BLE001 - handed to those who wanted to call
                blind = error
        pieces_of: dict[Callable[[Connection, list[Any]], list[Any]], list[int]] = {}
        results: list[Any] = [blind] * len(pieces)
        for place, piece in enumerate(pieces):
            if blind is None or not piece.is_call:
                pieces_of.setdefault(piece.work, []).append(place)
        with self._ledger.write() as connection:
            for work, places in pieces_of.items():
                found = _done(connection, work, [item for place in places for item in pieces[place].items])
                rest = None if isinstance(found, Exception) else iter(found)
                for place in places:
                    results[place] = found if rest is None else list(islice(rest, len(pieces[place].items)))
        return results


def _done(
    connection: Connection, work: Callable[[Connection, list[Any]], list[Any]], items: list[Any]
) -> list[Any] | Exception:
    try:
        with connection.begin_nested():
            return work(connection, items)
    except Exception as error:  # noqa: BLE001 - handed to those who asked
        return error
