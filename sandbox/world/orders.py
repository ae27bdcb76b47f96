"""Baskets become Flowhub orders: who bought, on which account, and what went wrong at the till."""

from dataclasses import dataclass, fields, replace

import numpy as np

from sandbox.world.ids import DAY, HOUR, MINUTE, SECOND, to_us
from sandbox.world.journey import Column, Journey
from sandbox.world.people import People, household_key
from sandbox.world.spec import WorldSpec

SOLD, CANCELED = 0, 1
WALK_IN, PICKUP, DELIVERY = 0, 1, 2
TYPE_NAMES = ("walk-in", "pickup", "delivery")
NOBODY = -1
NEVER = np.iinfo(np.int64).max
REFUND_OFFSET = 500_000_000_000
CLONE_OFFSET = 1_000_000_000_000

# How often.
SECOND_ADULT_SHOPS = 0.30
SECOND_ACCOUNT_USED = 0.35
GUEST_SALE = 0.03
ORDER_CANCELED = 0.01
VOIDED = 0.015
LATE_SYNC = 0.003
REFUNDED = 0.003
ONLINE_BEFORE, ONLINE_NOW = 0.15, 0.36
DELIVERED = 0.15
BUDTENDER_MISSING = 0.35
BUDTENDERS_KNOWN = 14


@dataclass(frozen=True)
class Orders:
    """Orders, one entry each; by store and creation once :func:`sort_orders` has run.

    Times are microseconds since 1970. ``visible`` is when the API first shows the order (a till may sync
    late), ``voided`` when it was voided (``NEVER``: not). ``person`` is the truth, ``account`` what the till
    knew. Order ``i`` owns ``count[i]`` lines from ``first[i]``; ``refund_of`` is the order that it takes back
    (0: none).
    """

    order_no: Column
    store: Column
    created: Column
    completed: Column
    visible: Column
    voided: Column
    status: Column
    kind: Column
    person: Column
    account: Column
    budtender: Column
    points: Column
    refund_of: Column
    first: Column
    count: Column


@dataclass(frozen=True)
class Lines:
    """Order lines. Money is in cents, before tax; ``coupon`` is a part of no other column."""

    item: Column
    quantity: Column
    price: Column
    discount: Column
    coupon: Column


def make_orders(spec: WorldSpec, journey: Journey, people: People) -> tuple[Orders, Lines]:
    """Make an order of each basket and clone of it; carts and points are filled in later."""
    rng = np.random.default_rng(spec.seed)
    clones = np.repeat(np.arange(spec.scale), len(journey.basket))
    base = np.tile(np.arange(len(journey.basket)), spec.scale)
    size = len(base)
    order_no = journey.basket[base] + clones * CLONE_OFFSET
    # A clone shops within the same hour as the household it was copied from, not in the same second.
    jitter = np.where(clones == 0, 0, (order_no * 31 + clones * 977) % 7200 - 3600) * SECOND
    completed = journey.at[base] + jitter
    created = completed - rng.integers(2, 12, size) * MINUTE - rng.integers(0, 60, size) * SECOND
    person, account = _who(rng, people, journey.household[base], clones)
    now_online = completed >= to_us(spec.window_start) - HOUR
    online = rng.random(size) < np.where(now_online, ONLINE_NOW, ONLINE_BEFORE)
    kind = np.where(online, np.where(rng.random(size) < DELIVERED, DELIVERY, PICKUP), WALK_IN)
    account = np.where((rng.random(size) < GUEST_SALE) & ~online, NOBODY, account)
    canceled = rng.random(size) < ORDER_CANCELED
    voided = np.where(
        (rng.random(size) < VOIDED) & ~canceled,
        completed + (rng.exponential(1.2, size) * DAY).astype(np.int64) + 3 * MINUTE,
        NEVER,
    )
    late = rng.random(size) < LATE_SYNC
    visible = np.where(late, completed + rng.integers(2, 30, size) * HOUR, created)
    orders = Orders(
        order_no=order_no,
        store=journey.store[base],
        created=created,
        completed=completed,
        visible=visible,
        voided=voided,
        status=np.where(canceled, CANCELED, SOLD),
        kind=kind,
        person=person,
        account=account,
        budtender=np.where(
            rng.random(size) < BUDTENDER_MISSING, NOBODY, rng.integers(0, BUDTENDERS_KNOWN, size)
        ),
        points=np.zeros(size, dtype=np.int64),
        refund_of=np.zeros(size, dtype=np.int64),
        first=journey.first[base],
        count=journey.first[base + 1] - journey.first[base],
    )
    lines = Lines(journey.item, journey.quantity, journey.price, journey.discount, journey.coupon)
    return _with_refunds(rng, orders, lines)


def _who(
    rng: np.random.Generator, people: People, household: Column, clones: Column
) -> tuple[Column, Column]:
    """Choose the adult of the household that shops, and the account that she names at the till."""
    most = household_key(int(household.max(initial=0)), int(clones.max(initial=0))) + 1
    first_adult = np.full(most, NOBODY)
    second_adult = np.full(most, NOBODY)
    for key, members in people.of_household.items():
        if key < most:
            first_adult[key], second_adult[key] = members[0], members[-1]
    first_account = np.array([p.accounts[0] if p.accounts else NOBODY for p in people.persons])
    second_account = np.array([p.accounts[-1] if p.accounts else NOBODY for p in people.persons])
    keys = household + clones * household_key(0, 1)
    size = len(keys)
    shopper: Column = np.where(rng.random(size) < SECOND_ADULT_SHOPS, second_adult[keys], first_adult[keys])
    other = rng.random(size) < SECOND_ACCOUNT_USED
    return shopper, np.where(other, second_account[shopper], first_account[shopper])


def _with_refunds(rng: np.random.Generator, orders: Orders, lines: Lines) -> tuple[Orders, Lines]:
    """Append refunds: an order of its own that names the sale and takes its first line back."""
    able = (orders.status == SOLD) & (orders.voided == NEVER)
    chosen = np.flatnonzero(able & (rng.random(len(able)) < REFUNDED))
    taken = orders.first[chosen]
    at = orders.completed[chosen] + rng.integers(1, 5 * 24, len(chosen)) * HOUR
    refunds = replace(
        _take(orders, chosen),
        order_no=orders.order_no[chosen] + REFUND_OFFSET,
        created=at - 4 * MINUTE,
        completed=at,
        visible=at - 4 * MINUTE,
        kind=np.full(len(chosen), WALK_IN),
        refund_of=orders.order_no[chosen],
        first=np.arange(len(chosen)) + len(lines.item),
        count=np.ones(len(chosen), dtype=np.int64),
    )
    longer = Lines(
        item=np.concatenate([lines.item, lines.item[taken]]),
        quantity=np.concatenate([lines.quantity, -lines.quantity[taken]]),
        price=np.concatenate([lines.price, -lines.price[taken]]),
        discount=np.concatenate([lines.discount, -lines.discount[taken]]),
        coupon=np.concatenate([lines.coupon, -lines.coupon[taken]]),
    )
    both = {
        column.name: np.concatenate([getattr(orders, column.name), getattr(refunds, column.name)])
        for column in fields(Orders)
    }
    return Orders(**both), longer


def _take(orders: Orders, places: Column) -> Orders:
    return Orders(**{column.name: getattr(orders, column.name)[places] for column in fields(Orders)})


def sums_by_order(orders: Orders, values: Column) -> Column:
    """Add up a column of lines for each order."""
    running = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(values)])
    sums: Column = running[orders.first + orders.count] - running[orders.first]
    return sums


def sort_orders(orders: Orders, lines: Lines, people: People) -> Orders:
    """Fill in the points that each customer had before the sale, and sort by store and creation.

    A customer earns a point for a dollar, before tax.
    """
    net = sums_by_order(orders, lines.price - lines.discount - lines.coupon)
    earned = np.where((orders.status == SOLD) & (orders.account != NOBODY), np.maximum(net, 0) // 100, 0)
    by_account = np.lexsort((orders.order_no, orders.completed, orders.account))
    running = np.cumsum(earned[by_account]) - earned[by_account]
    account = orders.account[by_account]
    starts = np.flatnonzero(np.diff(account, prepend=NOBODY - 1))
    begin = np.repeat(running[starts], np.diff(np.append(starts, len(account))))
    base = np.array([known.base_points for known in people.accounts] + [0], dtype=np.int64)
    points = np.zeros(len(account), dtype=np.int64)
    points[by_account] = np.where(account == NOBODY, 0, running - begin + base[account])
    filled = replace(orders, points=points)
    return _take(filled, np.lexsort((filled.order_no, filled.created, filled.store)))
