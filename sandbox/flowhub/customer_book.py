"""Looks customers up as they were at an instant."""

import numpy as np

from sandbox.world.accounts import CustomerRecord, changed
from sandbox.world.ids import SECOND, iso_us
from sandbox.world.journey import Column
from sandbox.world.orders import NOBODY, SOLD, sums_by_order
from sandbox.world.world import World


class CustomerBook:
    """The customers of the world; ``now`` decides who exists, their points and last change."""

    def __init__(self, world: World) -> None:
        """Index sales and changes by customer."""
        self._world = world
        self.created = np.array([record.created for record in world.records], dtype=np.int64)
        orders, lines = world.orders, world.lines
        counted = np.flatnonzero((orders.account != NOBODY) & (orders.status == SOLD))
        counted = counted[
            np.lexsort((orders.order_no[counted], orders.completed[counted], orders.account[counted]))
        ]
        net = sums_by_order(orders, lines.price - lines.discount - lines.coupon)[counted]
        self._sale_account = orders.account[counted]
        self._sale_at = orders.completed[counted]
        self._points_after = orders.points[counted] + np.maximum(net, 0) // 100
        self._by_id = {record.account_id: place for place, record in enumerate(world.records)}
        self._change_at = np.array([change.at for change in world.changes], dtype=np.int64)
        self._change_account = np.array([change.account for change in world.changes], dtype=np.int64)

    def find(self, account_id: str, now: int) -> Column | None:
        """Return the place of a customer, as a list of one; None where there is none yet."""
        place = self._by_id.get(account_id)
        return np.array([place]) if place is not None and self.created[place] <= now else None

    def find_phone(self, phone: str, now: int) -> Column | None:
        """Return the place of the first customer with these digits; None where there is none."""
        wanted = _digits(phone)
        for place, record in enumerate(self._world.records):
            if wanted and _digits(record.phone) == wanted and record.created <= now:
                return np.array([place])
        return None

    def select(self, created: tuple[int, int], updated: tuple[int, int], now: int) -> Column:
        """Return the places of those created and touched in the ranges, oldest first."""
        touched = self.updated(now)
        chosen = np.flatnonzero(
            (self.created >= created[0])
            & (self.created < min(created[1], now + 1))
            & (touched >= updated[0])
            & (touched < updated[1])
        )
        return chosen[np.argsort(self.created[chosen], kind="stable")]

    def updated(self, now: int) -> Column:
        """Return when each record was touched last: created, changed, or given points by a sale."""
        touched = self.created.copy()
        sold = self._sale_at <= now
        np.maximum.at(touched, self._sale_account[sold], self._sale_at[sold] + SECOND)
        edited = self._change_at <= now
        np.maximum.at(touched, self._change_account[edited], self._change_at[edited])
        return touched

    def points(self, now: int) -> Column:
        """Return each customer's points."""
        points = np.array([record.base_points for record in self._world.records], dtype=np.int64)
        sold = self._sale_at <= now
        # Sales are in the order of time for each account, so that the last one wins.
        points[self._sale_account[sold]] = self._points_after[sold]
        return points

    def state(self, place: int, now: int) -> CustomerRecord:
        """Return the record with the changes that were made by now."""
        record = self._world.records[place]
        for change in np.flatnonzero((self._change_account == place) & (self._change_at <= now)).tolist():
            record = changed(record, self._world.changes[change])
        return record

    def body(self, place: int, now: int, updated: int, points: int) -> dict[str, object]:
        """Return the customer object."""
        record = self.state(place, now)
        return {
            "id": record.account_id,
            "createdAt": iso_us(record.created),
            "updatedAt": iso_us(updated),
            "type": record.kind,
            "name": record.name,
            "state": record.state,
            "birthDate": record.birth.isoformat() if record.birth else None,
            "isLoyal": record.loyal,
            "loyaltyPoints": points,
            "phone": record.phone,
            "email": record.email,
            "streetAddress1": record.street,
            "streetAddress2": "",
            "city": record.city,
            "zip": record.zip_code,
            "country": "US",
            "consentsToPromotionalEmail": record.email_consent,
            "consentsToPromotionalSMS": record.sms_consent,
            "groups": [{"name": name} for name in record.groups],
        }


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))[-10:]
