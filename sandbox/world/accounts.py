"""How a Flowhub customer record comes to be and changes: consent given or taken back, e-mail mended."""

import random
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from sandbox.world.ids import DAY, MINUTE, to_us
from sandbox.world.journey import Column
from sandbox.world.orders import NOBODY, Orders
from sandbox.world.people import Account, People
from sandbox.world.spec import WorldSpec

NEW_AT_FIRST_ORDER = 0.25
CHANGES = 0.03
CHANGES_IN_THE_WINDOW = 8
OPTS_OUT = 0.7
EMAIL_RATHER_THAN_SMS = 0.5


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """A Flowhub customer as it was when created (microseconds since 1970)."""

    account_id: str
    created: int
    name: str
    birth: date | None
    email: str
    phone: str
    street: str
    city: str
    zip_code: str
    state: str
    kind: str
    email_consent: bool
    sms_consent: bool
    loyal: bool
    base_points: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """From ``at`` on a consent or the e-mail of an account has another value; None leaves it as it was."""

    account: int
    at: int
    email_consent: bool | None = None
    sms_consent: bool | None = None
    email: str | None = None


def changed(record: CustomerRecord, change: Change) -> CustomerRecord:
    """Return the record after the change."""
    return replace(
        record,
        email=record.email if change.email is None else change.email,
        email_consent=record.email_consent if change.email_consent is None else change.email_consent,
        sms_consent=record.sms_consent if change.sms_consent is None else change.sms_consent,
    )


def make_records(spec: WorldSpec, people: People, orders: Orders) -> list[CustomerRecord]:
    """Date the accounts: some were made at the first sale of the world's time, the others long before."""
    first_sale = _first_sale(orders, len(people.accounts))
    start = to_us(spec.history_start)
    records = []
    for account in people.accounts:
        rng = random.Random(f"{spec.seed}:created:{account.account_id}")
        earliest = int(first_sale[account.index])
        if earliest and rng.random() < NEW_AT_FIRST_ORDER:
            created = earliest - rng.randint(1, 4) * MINUTE - rng.randint(0, MINUTE)
        else:
            created = start - rng.randint(20, 1500) * DAY - rng.randint(0, DAY)
        records.append(_record(account, created))
    return records


def _first_sale(orders: Orders, accounts: int) -> Column:
    known = orders.account != NOBODY
    earliest = np.full(accounts, np.iinfo(np.int64).max)
    np.minimum.at(earliest, orders.account[known], orders.created[known])
    return np.where(earliest == np.iinfo(np.int64).max, 0, earliest)


def _record(account: Account, created: int) -> CustomerRecord:
    city, zip_code, state = account.place
    return CustomerRecord(
        account_id=account.account_id,
        created=created,
        name=account.name,
        birth=account.birth,
        email=account.email,
        phone=account.phone,
        street=account.street,
        city=city,
        zip_code=zip_code,
        state=state,
        kind=account.kind,
        email_consent=account.email_consent,
        sms_consent=account.sms_consent,
        loyal=account.loyal,
        base_points=account.base_points,
        groups=account.groups,
    )


def make_changes(spec: WorldSpec, people: People, records: list[CustomerRecord]) -> list[Change]:
    """Draw the changes of the accounts, in the order of time; a few always fall into the window."""
    rng = random.Random(f"{spec.seed}:changes")
    start, end = to_us(spec.history_start), to_us(spec.horizon)
    window = to_us(spec.window_start), to_us(spec.window_end)
    chosen = [(account, rng.randint(start, end)) for account in people.accounts if rng.random() < CHANGES]
    old = [account for account in people.accounts if records[account.index].created < start]
    lately = rng.sample(old, min(len(old), CHANGES_IN_THE_WINDOW))
    chosen += [(account, rng.randint(*window)) for account in lately]
    changes = []
    for account, at in chosen:
        if at <= records[account.index].created:
            continue
        own = people.persons[account.person].email
        if account.mess in ("email_typo", "placeholder_email"):
            changes.append(Change(account.index, at, email=own))
        elif rng.random() >= OPTS_OUT:
            changes.append(Change(account.index, at, sms_consent=True))
        elif rng.random() < EMAIL_RATHER_THAN_SMS:
            changes.append(Change(account.index, at, email_consent=False))
        else:
            changes.append(Change(account.index, at, sms_consent=False))
    return sorted(changes, key=lambda change: (change.at, change.account))
