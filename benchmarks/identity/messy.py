"""A messy set of cannabis retail's customers, with the truth of who is who.

People of a made-up town (``town.py``) register at the point of sale, order online, join the loyalty programme and use a
partner's app, and are written down as people are (``writing.py``): with slips, short names, gaps, the counter's e-mail
instead of their own. The rows have the columns of ``int_identity__sightings`` that come from a source; what that model
computes itself is not here. The same seed gives the same rows.

Whoever writes rules looks at ``DEVELOPMENT_SEEDS`` only; what is published is scored on ``SCORED_SEEDS``.
"""

import json
import random
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa

from benchmarks.identity import writing
from benchmarks.identity.town import BEGIN, DAYS, Person, Town

DEVELOPMENT_SEEDS = (1, 2)
SCORED_SEEDS = (11, 12, 13)

# Records a person, and what is written in them.
AT_THE_TILL = 0.92
REGISTERS_AGAIN = 0.25
REGISTERS_A_THIRD_TIME = 0.04
JANE_USER = 0.52
SECOND_JANE_USER = 0.07
JANE_GUEST = 0.07
SHOPIFY_CUSTOMER = 0.45
SECOND_SHOPIFY_CUSTOMER = 0.07
PARTNER_CUSTOMER = 0.16
ANONYMOUS_DEVICE = 0.06
SHOWN_AGAIN = 0.12  # of the point of sale's customers, as they are by then
MERGE_TOLD = 0.5  # of two Shopify customers of one person
ORDER_AT_THE_TILL = 0.10  # of Jane users whom the point of sale knows
EXTERNAL_JANE_ID = 0.05
PARTNER_KNOWS_TILL_ID = 0.25

# Of the records that have the field.
KIOSK_EMAIL = 0.04
STORE_PHONE = 0.008
STAFF_EMAIL = 0.004
STAFF_PHONE = 0.002
CARD_SHOWN = 0.85  # of those with a medical card
KIOSK_TABLET = 0.15  # of a partner's customers
OTHERS_DEVICE = 0.05
NAME_TYPO = 0.03
BIRTH_TYPO = 0.02
EMAIL_TYPO = 0.025
PHONE_TYPO = 0.015
STREET_VARIANT = 0.25
MIDDLE_INITIAL = 0.03
UPPER_CASE = 0.05
TURNED_NAME = 0.005

STORES = 24
KIOSK_TABLETS = 20
STAFF = 0.0015  # of all people
ROWS_OF_A_BATCH = 40

LISTED_EMAILS = ("noemail@gmail.com", "none@none.com", "na@na.com", "customer@email.com")
_SCHEMA = pa.schema(
    [
        ("seq", pa.int64()), ("row_no", pa.int32()), ("seen_at", pa.timestamp("us")), ("source", pa.string()),
        ("node", pa.string()), ("is_snapshot", pa.bool_()), ("full_name", pa.string()), ("birth_date", pa.date32()),
        ("programme", pa.string()), ("is_loyal", pa.bool_()), ("customer_groups", pa.string()),
        ("street_address", pa.string()), ("city", pa.string()), ("postal_code", pa.string()), ("state", pa.string()),
        ("country", pa.string()), ("email", pa.string()), ("phone", pa.string()),
        ("flowhub_customer_id", pa.string()), ("jane_external_user_id", pa.string()), ("jane_cart", pa.string()),
        ("pos_order_id", pa.string()), ("shopify_merge", pa.string()), ("device_id", pa.string()),
        ("medical_id", pa.string()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Shop:
    """What a source asks for: how often each field is given there, and how often a short name is."""

    surname: float
    short_name: float
    email: float
    phone: float


TILL = Shop(surname=1.0, short_name=0.04, email=0.78, phone=0.88)
JANE = Shop(surname=0.96, short_name=0.10, email=0.95, phone=0.90)
SHOPIFY = Shop(surname=0.96, short_name=0.10, email=0.97, phone=0.65)
PARTNERS = Shop(surname=1.0, short_name=0.0, email=0.85, phone=0.60)


@dataclass(frozen=True)
class MessySet:
    """The rows, and for each record (``node``) the person (``person_id``).

    A record that several people share, such as a guest's cart with a family's e-mail, stands for nobody and is not in
    the truth.
    """

    sightings: pa.Table
    truth: pa.Table


class _Book:
    """Every row that the sources show of the town."""

    def __init__(self, town: Town, dice: random.Random) -> None:
        self._dice = dice
        self.rows: list[tuple[float, dict[str, object]]] = []
        self.people_of: dict[str, set[int]] = {}
        self._last_id = 0
        staff = dice.sample(town.people, max(1, int(len(town.people) * STAFF)))
        self._staff_emails = [person.emails[0] for person in staff if person.emails] or list(LISTED_EMAILS)
        self._staff_phones = [person.phone for person in staff if person.phone] or ["+13035550000"]
        for person in town.people:
            self._live(person)

    def _live(self, person: Person) -> None:
        """Let a person register wherever she does."""
        times = self._times
        till_ids = [
            self._register_at_the_till(person)
            for _ in range(times(AT_THE_TILL, REGISTERS_AGAIN, REGISTERS_A_THIRD_TIME))
        ]
        external_id = f"ext-{person.person_id}" if times(EXTERNAL_JANE_ID) else None
        jane_ids = [
            self._order_from_jane(person, external_id) for _ in range(times(JANE_USER, SECOND_JANE_USER))
        ]
        if times(JANE_GUEST):
            self._order_as_guest(person)
        if till_ids and jane_ids and times(ORDER_AT_THE_TILL):
            self._hand_to_the_till(person, jane_ids[0], till_ids[-1])
        self._join_loyalty(person)
        if times(PARTNER_CUSTOMER):
            self._use_the_app(person, till_ids)
        if times(ANONYMOUS_DEVICE):
            self._write(
                "partners", f"device:{person.device}", person, self._day(person), device_id=person.device
            )

    def _register_at_the_till(self, person: Person) -> str:
        dice = self._dice
        till_id = self._id("F")
        day = self._day(person)
        loyal = dice.random() < 0.4
        self._show_at_the_till(person, till_id, day, loyal=loyal)
        if dice.random() < SHOWN_AGAIN:
            self._show_at_the_till(person, till_id, dice.randrange(day, DAYS), loyal=loyal)
        return till_id

    def _show_at_the_till(self, person: Person, till_id: str, day: int, *, loyal: bool) -> None:
        dice = self._dice
        name, email, phone = self._contact(person, TILL, day)
        birth = person.birth if dice.random() < 0.97 else None
        if birth and dice.random() < BIRTH_TYPO:
            birth = writing.mistyped_birth(birth, dice)
        street = person.new_street if person.new_street and day >= person.change_day else person.street
        if dice.random() < STREET_VARIANT:
            street = writing.written_street(street, dice)
        has_address = dice.random() < 0.7
        medical_id = person.medical_id
        if person.new_medical_id and day >= person.change_day:
            medical_id = person.new_medical_id
        self._write(
            "flowhub", f"flowhub_customer:{till_id}", person, day,
            is_snapshot=True, full_name=name, birth_date=birth,
            programme="med" if medical_id else "rec", is_loyal=loyal, customer_groups=json.dumps([]),
            street_address=street if has_address else None, city=person.city if has_address else None,
            postal_code=person.postal_code if has_address else None, state="CO", country="US",
            email=email, phone=phone, flowhub_customer_id=till_id,
            medical_id=medical_id if dice.random() < CARD_SHOWN else None,
        )  # fmt: skip

    def _order_from_jane(self, person: Person, external_id: str | None) -> str:
        jane_id = self._id("")
        day = self._day(person)
        name, email, phone = self._contact(person, JANE, day)
        for _ in range(self._dice.choice((1, 1, 1, 2, 3))):
            self._write(
                "jane", f"jane_user:{jane_id}", person, day,
                full_name=name, email=email, phone=phone,
                jane_external_user_id=external_id, jane_cart=self._id("C"),
            )  # fmt: skip
            day = self._dice.randrange(day, DAYS)
        return jane_id

    def _order_as_guest(self, person: Person) -> None:
        day = self._day(person)
        name, email, phone = self._contact(person, JANE, day)
        cart = self._id("C")
        node = f"jane_contact:{email or phone}" if email or phone else f"jane_cart:{cart}"
        self._write("jane", node, person, day, full_name=name, email=email, phone=phone, jane_cart=cart)

    def _hand_to_the_till(self, person: Person, jane_id: str, till_id: str) -> None:
        """Let an online order reach the point of sale: the same order is in both."""
        order, day = self._id("O"), self._dice.randrange(person.last_day, DAYS)
        self._write("jane", f"jane_user:{jane_id}", person, day, jane_cart=self._id("C"), pos_order_id=order)
        self._write(
            "flowhub",
            f"flowhub_customer:{till_id}",
            person,
            day,
            flowhub_customer_id=till_id,
            pos_order_id=order,
        )

    def _join_loyalty(self, person: Person) -> None:
        """Let her join, twice perhaps; Shopify tells of some of the merges that follow."""
        shopify_ids = [
            self._join(person) for _ in range(self._times(SHOPIFY_CUSTOMER, SECOND_SHOPIFY_CUSTOMER))
        ]
        if len(shopify_ids) > 1 and self._times(MERGE_TOLD):
            for shopify_id in shopify_ids:
                self._write(
                    "shopify", f"shopify_customer:{shopify_id}", person, DAYS, shopify_merge=shopify_ids[0]
                )

    def _join(self, person: Person) -> str:
        shopify_id = self._id("7")
        day = self._day(person)
        name, email, phone = self._contact(person, SHOPIFY, day)
        node = f"shopify_customer:{shopify_id}"
        self._write("shopify", node, person, day, is_snapshot=True, full_name=name, email=email, phone=phone)
        if self._dice.random() < 0.5:
            self._write("omni", node, person, self._dice.randrange(day, DAYS), email=email, phone=phone)
        return shopify_id

    def _use_the_app(self, person: Person, till_ids: list[str]) -> None:
        """Let a partner's app tell of her, with the device in her hand: hers, somebody's, or the shop's tablet."""
        dice = self._dice
        knows_till_id = till_ids and dice.random() < PARTNER_KNOWS_TILL_ID
        app_id = dice.choice(till_ids) if knows_till_id else self._id("A")
        day = self._day(person)
        _, email, phone = self._contact(person, PARTNERS, day)
        device = person.device
        likeness = dice.random()
        if likeness < KIOSK_TABLET:
            device = f"tablet-{dice.randrange(KIOSK_TABLETS)}"
        elif likeness < KIOSK_TABLET + OTHERS_DEVICE and person.others:
            device = dice.choice(person.others).device
        self._write(
            "partners", f"partner_customer:app:{app_id}", person, day,
            email=email, phone=phone, flowhub_customer_id=app_id, device_id=device,
        )  # fmt: skip

    def _contact(self, person: Person, shop: Shop, day: int) -> tuple[str, str | None, str | None]:
        """Return name, e-mail and phone as they are written down in one place on one day."""
        dice = self._dice
        email = phone = None
        if person.emails and dice.random() < shop.email:
            email = dice.choice(person.emails)
            if dice.random() < EMAIL_TYPO:
                email = writing.mistyped_email(email, dice)
        if dice.random() < KIOSK_EMAIL:
            email = self._counter_email()
        elif dice.random() < STAFF_EMAIL:
            email = dice.choice(self._staff_emails)
        if person.phone and dice.random() < shop.phone:
            phone = person.new_phone if person.new_phone and day >= person.change_day else person.phone
            if dice.random() < PHONE_TYPO:
                phone = writing.mistyped_phone(phone, dice)
        if dice.random() < STORE_PHONE:
            phone = f"+1303862{dice.randrange(STORES):04d}"
        elif dice.random() < STAFF_PHONE:
            phone = dice.choice(self._staff_phones)
        return self._name(person, shop, day), email, phone

    def _counter_email(self) -> str:
        """Return what a clerk types for whoever gives no e-mail: a listed nothing, or the shop's own address."""
        if self._dice.random() < 0.4:
            return self._dice.choice(LISTED_EMAILS)
        return f"frontdesk{self._dice.randrange(STORES)}@highlineleaf.com"

    def _name(self, person: Person, shop: Shop, day: int) -> str:
        dice = self._dice
        given = writing.nickname(person.given, dice) if dice.random() < shop.short_name else person.given
        surname = person.new_surname if person.new_surname and day >= person.change_day else person.surname
        if dice.random() < NAME_TYPO:
            if dice.random() < 0.5:
                given = writing.typo(given, dice)
            else:
                surname = writing.typo(surname, dice)
        if dice.random() < MIDDLE_INITIAL:
            given = f"{given} {dice.choice('ABCDEJLMRST')}"
        if dice.random() >= shop.surname:
            return given
        name = f"{surname} {given}" if dice.random() < TURNED_NAME else f"{given} {surname}"
        if person.suffix and dice.random() < 0.7:
            name = f"{name} {person.suffix}"
        return name.upper() if dice.random() < UPPER_CASE else name

    def _write(self, source: str, node: str, person: Person, day: int, **fields: object) -> None:
        self.people_of.setdefault(node, set()).add(person.person_id)
        row = {"source": source, "node": node, "is_snapshot": False, **fields}
        self.rows.append((day + self._dice.random(), row))

    def _day(self, person: Person) -> int:
        return self._dice.randint(person.first_day, person.last_day)

    def _times(self, *shares: float) -> int:
        """Return how many of some things happen, each as often as its share says."""
        return sum(self._dice.random() < share for share in shares)

    def _id(self, prefix: str) -> str:
        self._last_id += self._dice.randrange(1, 9)
        return f"{prefix}{self._last_id:08d}"


def generate(people: int = 100_000, seed: int = DEVELOPMENT_SEEDS[0]) -> MessySet:
    """Return the rows that the sources show of so many people, in the order in which they landed, and the truth."""
    dice = random.Random(f"messy {seed}")
    book = _Book(Town(people, dice), dice)
    book.rows.sort(key=lambda row: row[0])
    rows = [
        {
            "seq": place // ROWS_OF_A_BATCH + 1,
            "row_no": place % ROWS_OF_A_BATCH + 1,
            "seen_at": BEGIN + timedelta(days=day),
            **row,
        }
        for place, (day, row) in enumerate(book.rows)
    ]
    truth = [(node, min(people)) for node, people in book.people_of.items() if len(people) == 1]
    return MessySet(
        sightings=pa.Table.from_pylist(rows, schema=_SCHEMA),
        truth=pa.table(
            [pa.array([node for node, _ in truth]), pa.array([person for _, person in truth], pa.int64())],
            names=["node", "person_id"],
        ),
    )
