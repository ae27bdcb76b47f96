"""Who lives in the households, and under which records the vendors know them.

A person is the truth; an account, a Jane user and a loyalty member are records of a person, with the mess of
real data: two accounts of one person, a phone shared by a household, typos, placeholders, gaps.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from sandbox.world.ids import number, uid
from sandbox.world.spec import WorldSpec
from sandbox.world.words import (
    AREA_CODES,
    FIRST_NAMES,
    LAST_NAMES,
    MAIL_DOMAINS,
    PLACEHOLDER_EMAILS,
    PLACEHOLDER_PHONES,
    PLACES,
    STREETS,
)

# How often, of the people or accounts that it can happen to.
TWO_ADULTS = 0.45
SHARED_PHONE = 0.12
SHARED_EMAIL = 0.02
NO_ACCOUNT = 0.04
SECOND_ACCOUNT = 0.08
UNDER_AGE = 0.015
BIRTH_DATE_MISSING = 0.03
MEDICAL = 0.08
EMAIL_MISSING = 0.10
EMAIL_PLACEHOLDER = 0.025
EMAIL_TYPO = 0.015
PHONE_MISSING = 0.05
PHONE_PLACEHOLDER = 0.015
EMAIL_CONSENT = 0.74
SMS_CONSENT = 0.66
JANE_USER = 0.40
JANE_EXTERNAL_ID = 0.15
LOYALTY_MEMBER = 0.40
SECOND_SHOPIFY_CUSTOMER = 0.02
BEYOND_DOUBLE = 0.25
NEWCOMER = 0.06

_AGES = {"19-24": (22, 24), "25-34": (25, 34), "35-44": (35, 44), "45-54": (45, 54), "55-64": (55, 64)}
_ANY_AGE = (22, 70)
_NUMBERS_OF_AN_EXCHANGE = 10_000


@dataclass(slots=True)
class Person:
    """A human being. ``phone`` has ten digits; ``accounts`` are places in the list of accounts."""

    index: int
    person_id: str
    household: int
    first: str
    last: str
    birth: date
    email: str
    phone: str
    street: str
    place: tuple[str, str, str]
    programme: str
    accounts: list[int] = field(default_factory=list)
    jane: "JaneUser | None" = None
    member: "Member | None" = None

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


@dataclass(slots=True)
class Account:
    """A Flowhub customer as first written down. Texts are as typed: a placeholder is a value too."""

    index: int
    account_id: str
    person: int
    name: str
    birth: date | None
    email: str
    phone: str
    street: str
    place: tuple[str, str, str]
    kind: str
    email_consent: bool
    sms_consent: bool
    loyal: bool
    base_points: int
    groups: tuple[str, ...]
    mess: str


@dataclass(slots=True)
class JaneUser:
    """A Jane account of a person."""

    user_id: int
    external_id: str | None
    external_source: str | None


@dataclass(slots=True)
class Member:
    """A person in the loyalty programme: a Shopify customer, at times two."""

    shopify_id: int
    second_shopify_id: int | None
    points: int
    tier: str
    joined_lately: bool


@dataclass(frozen=True)
class People:
    """Everyone, and who of a household shops how often (cumulated weights)."""

    persons: list[Person]
    accounts: list[Account]
    of_household: dict[int, list[int]]


def us_phone(digits: str) -> str:
    """Write ten digits as Flowhub does."""
    return f"({digits[:3]}) {digits[3:6]}-{digits[6:]}"


def e164(digits: str) -> str:
    """Write ten digits as Jane and Shopify do."""
    return f"+1{digits}"


def phone_of(place: int) -> str:
    """Return the n-th phone number: each is given once; the first 50,000 are of the 555 exchange."""
    turn, code = divmod(place, len(AREA_CODES))
    round_, line = divmod(turn, _NUMBERS_OF_AN_EXCHANGE)
    exchange = 555 if round_ == 0 else 200 + round_ % 800
    return f"{AREA_CODES[code]}{exchange}{line * 7919 % _NUMBERS_OF_AN_EXCHANGE:04d}"


def household_key(household: int, clone: int) -> int:
    """Return the number of a household or clone; clone 0 keeps that of The Complete Journey."""
    return household + clone * 10_000


def make_people(spec: WorldSpec, households: list[tuple[int, str | None, str | None]]) -> People:
    """Make the people of every household and clone, and their records."""
    people = People([], [], {})
    for clone in range(spec.scale):
        for household, age, composition in households:
            key = household_key(household, clone)
            _make_household(people, spec, key, age, composition)
    return people


def _make_household(
    people: People, spec: WorldSpec, key: int, age: str | None, composition: str | None
) -> None:
    rng = random.Random(f"{spec.seed}:household:{key}")
    adults = 2 if (composition or "").startswith("2") else 1
    if composition is None and rng.random() < TWO_ADULTS:
        adults = 2
    last = rng.choice(LAST_NAMES)
    city, zip_code, state, _ = rng.choices(PLACES, [place[3] for place in PLACES])[0]
    street = f"{rng.randint(10, 9899)} {rng.choice(STREETS)} St"
    members = []
    for adult in range(adults):
        own_last = last if adult == 0 or rng.random() < 0.7 else rng.choice(LAST_NAMES)  # noqa: PLR2004 - a share
        person = _make_person(people, spec, rng, household=key, adult=adult, last=own_last, age=age)
        person.street, person.place = street, (city, zip_code, state)
        members.append(person)
    people.of_household[key] = [person.index for person in members]
    shared_phone = adults > 1 and rng.random() < SHARED_PHONE
    shared_email = adults > 1 and rng.random() < SHARED_EMAIL
    for person in members:
        if rng.random() >= NO_ACCOUNT:
            first = _make_account(people, rng, person, 0)
            if person is not members[0]:
                if shared_phone:
                    first.phone, first.mess = us_phone(members[0].phone), "shared_phone"
                if shared_email:
                    first.email, first.mess = members[0].email, "shared_email"
            if rng.random() < SECOND_ACCOUNT:
                _disguise(rng, person, first, _make_account(people, rng, person, 1))
        _make_digital(rng, person)


def _make_person(  # noqa: PLR0913 - the household's facts are drawn once and passed on
    people: People,
    spec: WorldSpec,
    rng: random.Random,
    *,
    household: int,
    adult: int,
    last: str,
    age: str | None,
) -> Person:
    index = len(people.persons)
    first = rng.choice(FIRST_NAMES)
    low, high = _AGES.get(age or "", (60, 82) if age else _ANY_AGE)
    years = rng.randint(18, 20) if rng.random() < UNDER_AGE else rng.randint(low, high)
    birth = spec.window_start.date() - timedelta(days=int(years * 365.25) + rng.randint(20, 340))
    email = f"{first}.{last}{household}{'ab'[adult]}@{rng.choice(MAIL_DOMAINS)}".lower()
    programme = "med" if rng.random() < MEDICAL else "rec"
    person_id = f"p{household}{'ab'[adult]}"
    person = Person(
        index, person_id, household, first, last, birth, email, phone_of(index), "", ("", "", ""), programme
    )
    people.persons.append(person)
    return person


def _make_account(people: People, rng: random.Random, person: Person, place: int) -> Account:
    email, phone, mess = person.email, us_phone(person.phone), "" if place == 0 else "second_account"
    draw = rng.random()
    if draw < EMAIL_MISSING:
        email = ""
    elif draw < EMAIL_MISSING + EMAIL_PLACEHOLDER:
        email, mess = rng.choice(PLACEHOLDER_EMAILS), mess or "placeholder_email"
    elif draw < EMAIL_MISSING + EMAIL_PLACEHOLDER + EMAIL_TYPO:
        email, mess = typo(rng, email), mess or "email_typo"
    elif draw > 1 - EMAIL_TYPO:
        email = f" {email.title()}" if rng.random() < 0.5 else email.upper()  # noqa: PLR2004 - a coin
    draw = rng.random()
    if draw < PHONE_MISSING:
        phone = ""
    elif draw < PHONE_MISSING + PHONE_PLACEHOLDER:
        phone, mess = rng.choice(PLACEHOLDER_PHONES), mess or "placeholder_phone"
    account = Account(
        index=len(people.accounts),
        account_id=uid("account", person.person_id, place),
        person=person.index,
        name=person.name,
        birth=None if rng.random() < BIRTH_DATE_MISSING else person.birth,
        email=email,
        phone=phone,
        street=person.street,
        place=person.place,
        kind="medCustomer" if person.programme == "med" else "recCustomer",
        email_consent=rng.random() < EMAIL_CONSENT,
        sms_consent=rng.random() < SMS_CONSENT,
        loyal=rng.random() < 0.6,  # noqa: PLR2004 - a share
        base_points=rng.randint(0, 300),
        groups=("VIP",) if rng.random() < 0.05 else (),  # noqa: PLR2004 - a share
        mess=mess,
    )
    people.accounts.append(account)
    person.accounts.append(account.index)
    return account


def _disguise(rng: random.Random, person: Person, first: Account, second: Account) -> None:
    """Make the second account of a person what it usually is: half of the first one's keys."""
    kind = rng.choices(("same_phone", "same_email", "typo", "name_and_birth_only"), (45, 30, 15, 10))[0]
    old_email = f"{person.first[0]}{person.last}{person.household}@{rng.choice(MAIL_DOMAINS)}".lower()
    if kind == "same_phone":
        second.email, second.phone = old_email, first.phone
    elif kind == "same_email":
        second.email, second.phone = first.email, ""
    elif kind == "typo":
        second.email, second.phone = typo(rng, person.email), first.phone
        second.name = f"{person.first[:-1]} {person.last}"
    else:
        second.email, second.phone, second.birth = old_email, "", first.birth
    second.mess = f"second_account:{kind}"


def typo(rng: random.Random, email: str) -> str:
    """Mistype an address: two letters swapped, one lost, or a wrong end."""
    local, _, domain = email.partition("@")
    at = rng.randint(1, max(1, len(local) - 3))
    how = rng.randint(0, 2)
    if how == 0:
        return f"{local[:at]}{local[at + 1]}{local[at]}{local[at + 2 :]}@{domain}"
    if how == 1:
        return f"{local[:at]}{local[at + 1 :]}@{domain}"
    return f"{local}@{domain.rsplit('.', 1)[0]}.con"


def _make_digital(rng: random.Random, person: Person) -> None:
    if rng.random() < JANE_USER:
        external = rng.random() < JANE_EXTERNAL_ID
        person.jane = JaneUser(
            user_id=90_000 + person.index * 3 + rng.randint(0, 2),
            external_id=f"hm-{number('app', person.person_id) % 10**9:09d}" if external else None,
            external_source="highmesa-app" if external else None,
        )
    if rng.random() < LOYALTY_MEMBER:
        second = _shopify_id(rng, person, "second") if rng.random() < SECOND_SHOPIFY_CUSTOMER else None
        person.member = Member(
            shopify_id=_shopify_id(rng, person, "first"),
            second_shopify_id=second,
            points=rng.randint(20, 900),
            tier=rng.choices(("Green", "Silver", "Gold"), (70, 22, 8))[0],
            joined_lately=rng.random() < NEWCOMER,
        )


def _shopify_id(rng: random.Random, person: Person, which: str) -> int:
    """Return an id that every so often no double can hold (above 2^53), as real ones are."""
    base = 2**59 if rng.random() < BEYOND_DOUBLE else 6_000_000_000_000
    return base + number("shopify", person.person_id, which) % 10**12
