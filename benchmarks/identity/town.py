"""The people of a made-up town, in households: what is true of them before anybody writes it down."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from faker.providers.person.en_US import Provider as Names

BEGIN = datetime(2023, 1, 1)  # noqa: DTZ001 - the warehouse keeps UTC without a zone
DAYS = 1_095
YOUNGEST = date(2004, 12, 31)

# Of all people, unless it says otherwise.
LIVES_WITH_OTHERS = 0.55
FAMILY_KEEPS_SURNAME = 0.75  # of those who join a household
TWIN = 0.003
JUNIOR = 0.007
SHARES_PHONE = 0.045  # and so 8 % give a number that somebody beside them gives
SHARES_EMAIL = 0.02
RECYCLED_PHONE = 0.03
NO_EMAIL = 0.05
NO_PHONE = 0.04
SECOND_EMAIL = 0.15
NEW_PHONE = 0.06
MOVES = 0.06
MARRIES = 0.015
MEDICAL = 0.15
CARD_RENEWED = 0.10  # of those with a medical card
MALE = 0.52

_STREETS = (
    "Alder", "Aspen", "Birch", "Bonnie Brae", "Clarkson", "Colfax", "Corona", "Cottonwood", "Dahlia", "Elati",
    "Emerson", "Federal", "Fillmore", "Franklin", "Gaylord", "Gilpin", "High", "Holly", "Humboldt", "Iris",
    "Jasmine", "Josephine", "Kalamath", "Knox", "Larimer", "Lipan", "Locust", "Marion", "Milwaukee", "Monaco",
    "Navajo", "Ogden", "Osage", "Pearl", "Pecos", "Pennsylvania", "Quebec", "Race", "Sherman", "Steele",
    "Tejon", "Umatilla", "Vine", "Washington", "Williams", "York", "Zenobia", "Zuni",
)  # fmt: skip
_STREET_TYPES = ("St", "Ave", "Way", "Ct", "Blvd")
_PLACES = (
    ("Denver", "802"), ("Aurora", "800"), ("Lakewood", "804"), ("Boulder", "803"), ("Pueblo", "810"),
    ("Fort Collins", "805"), ("Colorado Springs", "809"), ("Thornton", "806"), ("Trinidad", "808"),
)  # fmt: skip
_AREA_CODES = ("303", "720", "719", "970", "505", "307", "316")
_MAIL = (
    "gmail.com",
    "gmail.com",
    "gmail.com",
    "yahoo.com",
    "hotmail.com",
    "icloud.com",
    "outlook.com",
    "aol.com",
)
_EXCHANGES = 700


@dataclass(slots=True)
class Person:
    """A human being. What changes once has a before and an after, and the day it changed."""

    person_id: int
    given: str
    surname: str
    suffix: str
    birth: date
    street: str
    city: str
    postal_code: str
    emails: list[str]
    phone: str | None
    medical_id: str | None
    first_day: int
    last_day: int
    change_day: int
    new_phone: str | None = None
    new_street: str | None = None
    new_surname: str | None = None
    new_medical_id: str | None = None
    device: str = ""
    others: list["Person"] = field(default_factory=list)


class Town:
    """People drawn one household after another; every draw comes from the one dice."""

    def __init__(self, people: int, dice: random.Random) -> None:
        """Draw them all."""
        self._dice = dice
        self._given = {
            True: _weighted(Names.first_names_male),
            False: _weighted(Names.first_names_female),
        }
        self._surnames = _weighted(Names.last_names)
        self._taken_emails: set[str] = set()
        self._phones = _phone_numbers(dice)
        self._ids = itertools.count(1)
        self.people: list[Person] = []
        while len(self.people) < people:
            self._household(people - len(self.people))
        self._share()
        self._recycle()

    def _household(self, room: int) -> None:
        head = self._person(None)
        members = [head]
        while len(members) < min(room, 5) and self._dice.random() < LIVES_WITH_OTHERS / (
            1 + 0.35 * len(members)
        ):
            members.append(self._person(head))
        for member in members:
            member.others = [other for other in members if other is not member]
        self.people.extend(members)

    def _person(self, head: Person | None) -> Person:
        dice = self._dice
        given = self._name(self._given[dice.random() < MALE])
        surname = self._name(self._surnames)
        birth = YOUNGEST - timedelta(days=int(365.25 * 55 * dice.betavariate(1.3, 2.6)))
        city, zip3 = dice.choice(_PLACES)
        street = f"{dice.randrange(1, 9_900)} {dice.choice(_STREETS)} {dice.choice(_STREET_TYPES)}"
        postal_code = f"{zip3}{dice.randrange(1, 40):02d}"
        suffix = ""
        if head is not None:
            street, city, postal_code = head.street, head.city, head.postal_code
            if dice.random() < FAMILY_KEEPS_SURNAME:
                surname = head.surname
                likeness = dice.random()
                # the shares are of all people; only those of a family can be one
                if likeness < TWIN * 3.5:
                    birth = head.birth
                elif likeness < (TWIN + JUNIOR) * 3.5:
                    given, suffix = head.given, dice.choice(("", "", "Jr", "Jr."))
                    years = timedelta(days=dice.randrange(18 * 365, 30 * 365))
                    birth = head.birth - years if head.birth + years > YOUNGEST else head.birth + years
        first = int(DAYS * dice.betavariate(1.1, 1.6))
        person = Person(
            person_id=next(self._ids),
            given=given, surname=surname, suffix=suffix, birth=birth,
            street=street, city=city, postal_code=postal_code,
            emails=[self._email(given, surname, birth)],
            phone=next(self._phones),
            medical_id=f"M{dice.randrange(10**8):08d}" if dice.random() < MEDICAL else None,
            first_day=first,
            last_day=dice.randrange(first, DAYS),
            change_day=dice.randrange(first, DAYS),
        )  # fmt: skip
        person.device = f"{dice.getrandbits(64):016x}"
        self._change(person)
        return person

    def _change(self, person: Person) -> None:
        """Let life go on: a second address, a new number, a move, a marriage, a renewed card, or none of these."""
        dice = self._dice
        if dice.random() < SECOND_EMAIL:
            person.emails.append(self._email(person.given, person.surname, person.birth))
        if dice.random() < NO_EMAIL:
            person.emails = []
        if dice.random() < NEW_PHONE:
            person.new_phone = next(self._phones)
        if dice.random() < NO_PHONE:
            person.phone = person.new_phone = None
        if dice.random() < MOVES:
            person.new_street = (
                f"{dice.randrange(1, 9_900)} {dice.choice(_STREETS)} {dice.choice(_STREET_TYPES)}"
            )
        if dice.random() < MARRIES:
            person.new_surname = self._name(self._surnames)
        if person.medical_id and dice.random() < CARD_RENEWED:
            person.new_medical_id = f"M{dice.randrange(10**8):08d}"

    def _share(self) -> None:
        """Let some give the phone or the e-mail of somebody they live with."""
        with_others = [person for person in self.people if person.others]
        scale = len(self.people) / max(1, len(with_others))
        for person in with_others:
            if self._dice.random() < SHARES_PHONE * scale:
                person.phone, person.new_phone = self._dice.choice(person.others).phone, None
            if self._dice.random() < SHARES_EMAIL * scale:
                person.emails = self._dice.choice(person.others).emails[:1]

    def _recycle(self) -> None:
        """Give numbers that were given up to others, who come more than a year later."""
        early = [person for person in self.people if person.phone and person.first_day < DAYS // 3]
        late = [person for person in self.people if person.first_day > DAYS * 2 // 3]
        self._dice.shuffle(early)
        self._dice.shuffle(late)
        for before, after in zip(early, late[: int(len(self.people) * RECYCLED_PHONE)], strict=False):
            if before is not after:
                before.change_day = min(before.change_day, DAYS // 3)
                before.new_phone = before.new_phone or next(self._phones)
                after.phone, after.new_phone = before.phone, None

    def _email(self, given: str, surname: str, birth: date) -> str:
        dice = self._dice
        given, surname = given.lower(), surname.lower().replace(" ", "")
        local = dice.choice(
            (
                f"{given}.{surname}", f"{given}{surname}", f"{given[0]}{surname}", f"{surname}{given[0]}",
                f"{given}{birth:%y}", f"{given}_{surname}", f"{dice.choice(_STREETS).lower()[:5]}{given}",
            )
        )  # fmt: skip
        email = f"{local}@{dice.choice(_MAIL)}"
        while email in self._taken_emails:
            email = f"{local}{dice.randrange(10_000)}@{dice.choice(_MAIL)}"
        self._taken_emails.add(email)
        return email

    def _name(self, weighted: tuple[list[str], list[float]]) -> str:
        return self._dice.choices(weighted[0], cum_weights=weighted[1])[0]


def _weighted(names: dict[str, float]) -> tuple[list[str], list[float]]:
    """Return names and their running weights: common names are as common as in the country."""
    total, sums = 0.0, []
    for weight in names.values():
        total += weight
        sums.append(total)
    return list(names), sums


def _phone_numbers(dice: random.Random) -> Iterator[str]:
    """Yield numbers that nobody has yet."""
    taken = set()
    while True:
        number = (
            f"+1{dice.choice(_AREA_CODES)}{dice.randrange(200, 200 + _EXCHANGES)}{dice.randrange(10_000):04d}"
        )
        if number not in taken:
            taken.add(number)
            yield number
