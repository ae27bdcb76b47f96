"""What can be set about the Flowhub of the sandbox while it runs."""

from typing import Literal

import msgspec


class FlowhubSwitches(msgspec.Struct, forbid_unknown_fields=True):
    """Each switch is one of the points on which public sources about the API disagree, or a limit.

    ``requests_per_second`` is generous; a real 429 was seen at about 59 requests a second. With
    ``pages_overlap`` each page of orders begins with the last order of the page before, as when something
    arrives while somebody pages. Whether order-ahead wants a date of birth nobody says: ``birth_date_required``.
    """

    requests_per_second: int = 50
    date_filter: Literal["store_local", "utc"] = "store_local"
    customers_envelope: Literal["data", "array"] = "data"
    order_amount_unit: Literal["dollars", "cents"] = "dollars"
    totals_case: Literal["camel", "pascal"] = "camel"
    status_case: Literal["lower", "capital"] = "lower"
    by_rooms_forbidden: bool = False
    pages_overlap: bool = False
    birth_date_required: bool = False
