"""Who becomes lapsed in the window: the last order is so many days ago, and none came since."""

from datetime import timedelta

import numpy as np

from sandbox.world.ids import from_us, to_us
from sandbox.world.knowledge import Knowledge
from sandbox.world.orders import NOBODY, SOLD, Orders
from sandbox.world.people import People
from sandbox.world.spec import STORE_ZONE, WorldSpec
from sandbox.world.truth import Expected, Truth

LAPSED_DAYS = (30, 60)


def judge_lapsed(spec: WorldSpec, people: People, orders: Orders, knowledge: Knowledge, truth: Truth) -> None:
    """Expect the winback of each person at the instant when the days are over, by the store's calendar."""
    window_end = to_us(spec.window_end)
    counts = (
        (orders.status == SOLD)
        & (orders.account != NOBODY)
        & (orders.voided > window_end)
        & (orders.refund_of == 0)
        & (orders.completed <= window_end)
    )
    last = np.zeros(len(people.persons), dtype=np.int64)
    np.maximum.at(last, orders.person[counts], orders.completed[counts])
    for person in people.persons:
        completed = int(last[person.index])
        if not completed:
            continue
        local = from_us(completed).astimezone(STORE_ZONE)
        for days in LAPSED_DAYS:
            at = to_us(local + timedelta(days=days))
            if not to_us(spec.window_start) < at <= window_end:
                continue
            reason, detail = knowledge.marketing(person, at)
            truth.expected.append(
                Expected(
                    "lapsed_customer_winback",
                    f"{person.person_id}:{days}",
                    at,
                    person.person_id,
                    eligible=reason is None,
                    reason=reason,
                    detail={**detail, "days": days, "last_order_at": from_us(completed).isoformat()},
                )
            )
