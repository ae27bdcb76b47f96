"""An order's stock, pinned or freed by hand: what a person decides, landed for the next moment."""

from typing import Literal

from extractors.landing.log import LandingLog
from extractors.landing.operations import land_operation
from perennial.clock import clock_of
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.published import open_published
from perennial.settings import Settings

Deed = Literal["hold", "release"]
_FOUND = """
    select distinct order_id, cart_id, store_id
    from marts.order_holds
    where ? in (order_id, cart_id, pos_order_id)
"""


def set_stock(settings: Settings, deed: Deed, given: str) -> str:
    """Pin (``hold``) or free (``release``) the stock of an order, and return the order's id.

    ``given`` is the order's id, Jane's id of its cart or the till's id of it; ``PerennialError`` where no placed
    e-commerce order has it. The next moment takes it up; a running worker builds one at once.
    """
    published = open_published(Home(settings.home))
    with published.connection as connection:
        known = "marts.order_holds" in published.names
        found = connection.execute(_FOUND, [given]).fetchall() if known else []
    if not found:
        raise PerennialError(
            f"no placed e-commerce order has the id {given}",
            "give Jane's cart id or the till's order id; an order shows once a build has published it "
            f"(the newest is of {published.as_of:%Y-%m-%d %H:%M} UTC)",
        )
    if len(found) > 1:
        orders = ", ".join(sorted(order_id for order_id, _, _ in found))
        raise PerennialError(f"the id {given} is that of several orders: {orders}", "give one of these ids")
    [(order_id, cart_id, _)] = found
    clock = clock_of(settings)
    log = LandingLog(settings.landing_url, clock)
    land_operation(log, clock, f"order_{deed}", {"cart_id": cart_id})
    return str(order_id)
