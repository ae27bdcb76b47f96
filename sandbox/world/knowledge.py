"""The truth about a person at an instant: what a perfect warehouse would know before it sends a message."""

from collections import defaultdict
from datetime import date

from sandbox.world.accounts import Change, CustomerRecord, changed
from sandbox.world.ids import from_us
from sandbox.world.people import People, Person
from sandbox.world.spec import STORE_ZONE
from sandbox.world.words import PLACEHOLDER_EMAILS, PLACEHOLDER_PHONES

ADULT = {"rec": 21, "med": 18}


class Knowledge:
    """Answers from the records that exist and from the opt-outs that were said aloud."""

    def __init__(self, people: People, records: list[CustomerRecord], changes: list[Change]) -> None:
        """Index the changes by account."""
        self._people = people
        self._records = records
        self._changes: dict[int, list[Change]] = defaultdict(list)
        for change in changes:
            self._changes[change.account].append(change)
        self._opt_outs: dict[tuple[str, str], int] = {}

    def opt_out(self, channel: str, address: str, at: int) -> None:
        """Remember an explicit opt-out of an address; it is never lifted here."""
        self._opt_outs[(channel, address)] = at

    def accounts(self, person: Person, at: int) -> list[CustomerRecord]:
        """Return the person's accounts as they were."""
        states = []
        for place in person.accounts:
            record = self._records[place]
            if record.created > at:
                continue
            for change in self._changes[place]:
                if change.at <= at:
                    record = changed(record, change)
            states.append(record)
        return states

    def consent(self, person: Person, at: int) -> tuple[bool, bool]:
        """Return whether some e-mail address and some phone of the person may get marketing."""
        email = sms = False
        for record in self.accounts(person, at):
            address = record.email.strip().lower()
            if record.email_consent and address and address not in PLACEHOLDER_EMAILS:
                email = email or not self._opted_out("email", address, at)
            if record.sms_consent and record.phone and record.phone not in PLACEHOLDER_PHONES:
                digits = "".join(filter(str.isdigit, record.phone))
                sms = sms or not self._opted_out("sms", f"+1{digits}", at)
        return email, sms

    def _opted_out(self, channel: str, address: str, at: int) -> bool:
        said = self._opt_outs.get((channel, address))
        return said is not None and said <= at

    def age_reason(self, person: Person, at: int) -> str | None:
        """Return ``under_age`` or ``age_unknown``, or None for an adult."""
        births = [record.birth for record in self.accounts(person, at) if record.birth is not None]
        if not births:
            return "age_unknown"
        today = from_us(at).astimezone(STORE_ZONE).date()
        return "under_age" if _age(births[0], today) < ADULT[person.programme] else None

    def marketing(self, person: Person, at: int) -> tuple[str | None, dict[str, object]]:
        """Return the reason to send no marketing (None: go ahead), and what it rests on."""
        email, sms = self.consent(person, at)
        reason = self.age_reason(person, at) or (None if email or sms else "no_consent")
        return reason, {"email_opted_in": email, "sms_opted_in": sms}


def _age(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
