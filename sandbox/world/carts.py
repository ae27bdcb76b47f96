"""Jane's carts: those that became orders, those that were left, canceled or dismissed."""

import random
from dataclasses import dataclass, field

import numpy as np

from sandbox.flowhub.order_body import order_id
from sandbox.world.draft import Draft
from sandbox.world.ids import DAY, HOUR, MINUTE, SECOND, from_us, jane_time, number, to_us, uid
from sandbox.world.journey import Column
from sandbox.world.knowledge import Knowledge
from sandbox.world.menu import Item
from sandbox.world.orders import CANCELED, DELIVERY, NOBODY, WALK_IN, Lines, Orders
from sandbox.world.people import People, Person, e164, typo
from sandbox.world.spec import STORE_ZONE, WorldSpec
from sandbox.world.stores import STORES
from sandbox.world.truth import Expected, Identity, Truth

STATUS_PATH = "/webhooks/jane/cart-status"
ABANDONED_PATH = "/webhooks/jane/cart-abandoned"
FIRST_CART_ID = 7_000_000
HOUSEHOLDS = 2469

LEFT_A_DAY = 45
LEFT_IN_THE_WINDOW = 72
CANCELED_SHARE = 0.2
ANONYMOUS = 0.16
IDENTIFIED_LATER = 0.5
LEFT_THEN_BOUGHT = 0.25
REVIEWED_BY_STAFF = 0.08
REVIEWED_BY_CUSTOMER = 0.10
LEGACY_STATUS = 0.01
OUT_OF_ORDER = 0.05
TYPED_WRONG = 0.03
FEWEST_LEFT = 6
OPENING_HOUR, CLOSING_HOUR = 8, 22


@dataclass
class Cart:
    """A cart and its life.

    ``left`` are the instants at which Jane called it abandoned; ``named`` is when its contact became known
    (0: always). ``sent`` is when each status was told, which may be later than it happened.
    """

    cart_id: int
    person: Person
    store: int
    created: int
    products: list[dict[str, object]]
    amount: float
    mode: str = "pickup"
    order_no: int = 0
    statuses: list[tuple[int, str]] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    named: int = 0
    email: str = ""
    sent: dict[str, int] = field(default_factory=dict)

    def at(self, *statuses: str) -> int | None:
        """Return when the cart first got one of these statuses."""
        return next((at for at, status in self.statuses if status in statuses), None)


@dataclass(frozen=True)
class CartMaker:
    """What carts are made from."""

    spec: WorldSpec
    people: People
    orders: Orders
    lines: Lines
    menu: list[Item]

    def make(self) -> tuple[list[Cart], Column]:
        """Return the carts since the webhooks were connected, and when each order then reached Flowhub."""
        created = self.orders.created.copy()
        carts: list[Cart] = []
        since, until = to_us(self.spec.webhooks_since), to_us(self.spec.horizon)
        online = (self.orders.kind != WALK_IN) & (self.orders.refund_of == 0) & (self.orders.person != NOBODY)
        for place in np.flatnonzero(online & (self.orders.completed > since + 3 * HOUR)).tolist():
            cart = self._bought(len(carts), place)
            created[place] = cart.at("preparing") or created[place]
            carts.append(cart)
        share = (self.spec.households or HOUSEHOLDS) * self.spec.scale / HOUSEHOLDS
        window = to_us(self.spec.window_start), to_us(self.spec.window_end)
        rng = random.Random(f"{self.spec.seed}:left")
        many = max(FEWEST_LEFT, round(LEFT_IN_THE_WINDOW * share))
        times = [window[0] + int((window[1] - window[0]) * (n + rng.random()) / many) for n in range(many)]
        times += [
            at
            for at in (
                rng.randint(since, until) for _ in range(round(LEFT_A_DAY * share * (until - since) / DAY))
            )
            if _is_open(at) and not window[0] <= at < window[1]
        ]
        carts += [self._left(len(carts) + n, at) for n, at in enumerate(times)]
        return carts, created

    def _bought(self, index: int, place: int) -> Cart:
        """Make the cart of an order: picked up or delivered when the order was completed."""
        order_no, completed = int(self.orders.order_no[place]), int(self.orders.completed[place])
        rng = random.Random(f"{self.spec.seed}:cart:{order_no}")
        delivery = int(self.orders.kind[place]) == DELIVERY
        person = self.people.persons[int(self.orders.person[place])]
        ready = completed - rng.randint(6, 45) * MINUTE
        preparing = ready - rng.randint(6, 25) * MINUTE
        submitted = preparing - rng.randint(2, 12) * MINUTE
        created = submitted - rng.randint(4, 18) * MINUTE
        left = []
        if rng.random() < LEFT_THEN_BOUGHT:
            created = submitted - rng.randint(45, 110) * MINUTE
            left = [created + rng.randint(22, 34) * MINUTE]
        first = int(self.orders.first[place])
        span = range(first, first + int(self.orders.count[place]))
        lines = self.lines
        products = [
            _product(
                self.menu[int(lines.item[n])],
                int(lines.quantity[n]),
                int(lines.price[n]),
                int(lines.discount[n]),
            )
            for n in span
        ]
        amount = int(sum(lines.price[n] - lines.discount[n] for n in span)) / 100
        cart = Cart(
            FIRST_CART_ID + index, person, int(self.orders.store[place]), created, products, amount, left=left
        )
        cart.mode, cart.order_no = ("delivery" if delivery else "pickup"), order_no
        cart.email = typo(rng, person.email) if rng.random() < TYPED_WRONG else person.email
        cart.statuses = [(created, "pending")] if rng.random() < 0.5 else []  # noqa: PLR2004 - a coin
        cart.statuses.append((submitted, "verification"))
        if rng.random() < REVIEWED_BY_STAFF:
            cart.statuses.append((submitted + MINUTE, "staff_member_review"))
        cart.statuses.append((preparing, "preparing"))
        if int(self.orders.status[place]) == CANCELED:
            cart.statuses.append((completed, "dismissed"))
            return cart
        middle = [(ready, "delivery_started"), (completed, "delivery_finished")] if delivery else []
        cart.statuses += middle or [(ready, "ready_for_pickup")]
        legacy = rng.random() < LEGACY_STATUS
        finished = completed + rng.randint(30, 200) * SECOND
        cart.statuses.append((finished, "finished_without_review" if legacy else "finished"))
        if rng.random() < REVIEWED_BY_CUSTOMER:
            cart.statuses.append((finished + rng.randint(2, 60) * HOUR, "with_review"))
        return cart

    def _left(self, index: int, at: int) -> Cart:
        """Make a cart that nobody paid: left at ``at``, or submitted and then canceled or dismissed."""
        rng = random.Random(f"{self.spec.seed}:left:{index}:{at}")
        person = rng.choice(self.people.persons)
        size = rng.randint(1, 4)
        products = []
        cents = 0
        for line in (rng.randrange(len(self.lines.item)) for _ in range(size)):
            item = self.menu[int(self.lines.item[line])]
            products.append(_product(item, 1, item.price, 0))
            cents += item.price
        created = at - rng.randint(20, 30) * MINUTE
        store = number("favourite", person.person_id) % len(STORES)
        cart = Cart(FIRST_CART_ID + index, person, store, created, products, cents / 100, email=person.email)
        if rng.random() < CANCELED_SHARE:
            cart.statuses = [(created + 8 * MINUTE, "verification")]
            if rng.random() < 0.6:  # noqa: PLR2004 - a share
                cart.statuses.append((at, "cancelled"))
            else:
                cart.statuses += [(created + 12 * MINUTE, "preparing"), (at, "dismissed")]
            return cart
        cart.left = [at]
        if rng.random() < ANONYMOUS:
            later = rng.random() < IDENTIFIED_LATER
            cart.named = at + rng.randint(4, 44) * MINUTE if later else to_us(self.spec.horizon) + DAY
            if later:
                cart.statuses = [(cart.named, "pending")]
        return cart


def emit_carts(carts: list[Cart], draft: Draft, seed: int) -> None:
    """Draft the webhooks of the carts; now and then an earlier status arrives after a later one."""
    for cart in carts:
        rng = random.Random(f"{seed}:emit:{cart.cart_id}")
        for at in cart.left:
            body = cart_body(cart, "pending", at)
            draft.add(at, "jane", ABANDONED_PATH, f"cart:{cart.cart_id}", body)
        dues = [at for at, _ in cart.statuses]
        if len(dues) > 1 and rng.random() < OUT_OF_ORDER:
            slow = rng.randrange(len(dues) - 1)
            dues[slow] = dues[slow + 1] + 15 * SECOND
        for due, (at, status) in zip(dues, cart.statuses, strict=True):
            body = cart_body(cart, status, at)
            cart.sent[status] = due
            draft.add(due, "jane", STATUS_PATH, f"cart:{cart.cart_id}", body, signed=at)


def cart_body(cart: Cart, status: str, at: int) -> dict[str, object]:
    """Return the payload of the cart in a status."""
    named = cart.named <= at
    person = cart.person
    user = person.jane if named else None
    submitted = cart.at("verification")
    preparing = cart.at("preparing")
    pushed = cart.order_no and preparing is not None and at >= preparing
    out = submitted is not None and at >= submitted
    return {
        "cart": {
            "id": cart.cart_id,
            "uuid": uid("cart", cart.cart_id),
            "status": status,
            "amount": cart.amount,
            "created_at": jane_time(cart.created),
            "checked_out_time": jane_time(submitted) if out and submitted else None,
            "reservation_mode": cart.mode,
            "reservation_start_window": jane_time(submitted + HOUR) if out and submitted else None,
            "customer_name": person.name if named else None,
            "customer_email_address": cart.email if named else None,
            "customer_phone_number": e164(person.phone) if named else None,
            "user_id": user.user_id if user else None,
            "external_user_id": user.external_id if user else None,
            "external_user_source": user.external_source if user else None,
            "store_id": STORES[cart.store].jane_id,
            "store_name": STORES[cart.store].name,
            "pos_order_id": order_id(cart.order_no) if pushed else None,
            "promo_code": None,
            "checkout_message": "",
            "queue_number": f"G{cart.cart_id % 90 + 10}" if out else None,
            "rating": 5 if status == "with_review" else 0,
            "tags": {},
            "assigned_employee_id": None,
            "assigned_employee_name": None,
            "assigned_manager_id": None,
            "assigned_manager_name": None,
            "products": cart.products,
        }
    }


def judge_carts(carts: list[Cart], knowledge: Knowledge, spec: WorldSpec, truth: Truth) -> None:
    """Write who owns each cart, and what the two flows of the window should do about it."""
    window = to_us(spec.window_start), to_us(spec.window_end)
    for cart in carts:
        mess = "" if cart.named == 0 else "anonymous"
        truth.people.append(Identity(cart.person.person_id, "jane_cart", str(cart.cart_id), mess))
        for at in cart.left:
            if window[0] <= at < window[1]:
                truth.expected.append(_judge_left(cart, at, knowledge))
        ready, finished = cart.at("ready_for_pickup"), cart.at("finished", "finished_without_review")
        if ready is not None and window[0] <= ready < window[1]:
            truth.expected.append(
                Expected(
                    "order_ready_for_pickup",
                    str(cart.cart_id),
                    ready,
                    cart.person.person_id,
                    eligible=True,
                    reason=None,
                    detail={
                        "sent_at": _iso(cart.sent["ready_for_pickup"]),
                        "finished_at": _iso(finished),
                        "pos_order_id": order_id(cart.order_no),
                    },
                )
            )


def _judge_left(cart: Cart, at: int, knowledge: Knowledge) -> Expected:
    reason, detail = knowledge.marketing(cart.person, at)
    identified = cart.named == 0 or cart.named <= at + 30 * MINUTE
    if not identified:
        reason = "unknown_person"
    detail |= {
        "bought_at": _iso(cart.at("verification")),
        "identified_at": _iso(cart.named) if cart.named else None,
    }
    return Expected(
        "cart_abandoned_recovery",
        str(cart.cart_id),
        at,
        cart.person.person_id,
        eligible=reason is None,
        reason=reason,
        detail=detail,
    )


def _iso(at: int | None) -> str | None:
    return None if at is None else from_us(at).isoformat()


def _is_open(at: int) -> bool:
    return OPENING_HOUR <= from_us(at).astimezone(STORE_ZONE).hour < CLOSING_HOUR


def _product(item: Item, count: int, price: int, discount: int) -> dict[str, object]:
    return {
        "product_id": 300_000 + item.index,
        "product_name": item.name,
        "brand": item.brand,
        "count": count,
        "checkout_price": f"{price / 100:.2f}",
        "discounted_checkout_price": f"{(price - discount) / 100:.2f}",
    }
