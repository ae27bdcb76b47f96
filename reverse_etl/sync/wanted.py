"""What is wanted: the newest published set, as rows of a mirror."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from perennial.home import Home
from perennial.published import Published, open_published
from reverse_etl.sync.mirror import LISTS, ON_THE_LIST, TRAITS, Mirror, Profile

_ROWS = 5_000
_TABLES = {
    TRAITS: ("marts.destination_profiles", "customer_id", "fingerprint", "true"),
    LISTS: ("marts.destination_list_members", "email", f"'{ON_THE_LIST}'", "list_id = $target"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """An item that is wanted, with what is to be confirmed of it."""

    item: str
    customer_id: str
    fingerprint: str


class Wanted:
    """The published set, open for reading; a context manager."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self._connection = published.connection

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    @property
    def build_no(self) -> int:
        """The build that made the set."""
        return self._published.build_no

    def lists(self) -> list[Mirror]:
        """Return the lists that mirror an audience, empty ones included."""
        found = self._ask("select destination, list_id from marts.destination_lists order by all")
        return [Mirror(destination, LISTS, list_id) for destination, list_id in found]

    def people(self, destination: str) -> int:
        """Return how many people a destination may know by e-mail."""
        query = "select count(*) from marts.destination_profiles where destination = $destination and email is not null"
        [[count]] = self._ask(query, destination=destination)
        return int(count)

    def count(self, mirror: Mirror) -> int:
        """Return how many items are wanted."""
        [[count]] = self._ask(f"select count(*) from ({self._select(mirror)})", **_keys(mirror))  # noqa: S608 - constants
        return int(count)

    def changed(self, mirror: Mirror, after: int) -> Iterator[list[Row]]:
        """Yield what changed after a build, some thousand rows at a time."""
        query = f"{self._select(mirror)} and changed_build_no > $after"
        with self._connection.cursor() as cursor:
            cursor.execute(query, {**_keys(mirror), "after": after})
            while rows := cursor.fetchmany(_ROWS):
                yield [Row(*row) for row in rows]

    def missing(self, mirror: Mirror, items: Sequence[str]) -> list[str]:
        """Return those of some items that are not wanted."""
        unwanted = f"except select item from ({self._select(mirror)})"  # noqa: S608 - constants
        query = f"select unnest($items::varchar[]) as item {unwanted}"
        return [item for (item,) in self._ask(query, items=list(items), **_keys(mirror))]

    def profiles(self, destination: str, customer_ids: Collection[str]) -> dict[str, Profile]:
        """Return the people that a destination may know, of some, by their ids."""
        query = """
            select customer_id, fingerprint, email, phone, flowhub_customer_id, traits
            from marts.destination_profiles
            where destination = $destination and customer_id in (select unnest($ids::varchar[]))
        """
        found = self._ask(query, destination=destination, ids=list(customer_ids))
        return {
            customer_id: Profile(customer_id, fingerprint, email, phone, flowhub_id, json.loads(traits))
            for customer_id, fingerprint, email, phone, flowhub_id, traits in found
        }

    def _select(self, mirror: Mirror) -> str:
        table, item, fingerprint, condition = _TABLES[mirror.kind]
        return (
            f"select {item} as item, customer_id, {fingerprint} as fingerprint from {table} "  # noqa: S608 - constants
            f"where destination = $destination and {condition}"
        )

    def _ask(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()


def _keys(mirror: Mirror) -> dict[str, str]:
    return {"destination": mirror.destination} | ({"target": mirror.target} if mirror.kind == LISTS else {})


def open_wanted(home: Home) -> Wanted | None:
    """Open the newest published set; None where nothing is published yet, or by a version that knew no mirrors."""
    if not (home.published / "current.json").exists():
        return None
    published = open_published(home)
    needed = {"marts.destination_profiles", "marts.destination_lists", "marts.destination_list_members"}
    if needed <= published.names:
        return Wanted(published)
    published.connection.close()
    return None
