"""How names, dates and addresses look when they have been typed at a counter or on a phone."""

import random
from datetime import date, timedelta

_NICKNAMES = {
    "Alexander": ("Alex", "Xander"), "Alexandra": ("Alex", "Sandra"), "Andrew": ("Andy", "Drew"), "Anthony": ("Tony",),
    "Barbara": ("Barb",), "Benjamin": ("Ben",), "Cassandra": ("Cassie",), "Catherine": ("Cathy", "Kate"),
    "Charles": ("Charlie", "Chuck"), "Christine": ("Chris", "Tina"), "Christina": ("Chris", "Tina"),
    "Christopher": ("Chris",), "Cynthia": ("Cindy",), "Daniel": ("Dan", "Danny"), "David": ("Dave",),
    "Deborah": ("Deb", "Debbie"), "Donald": ("Don",), "Douglas": ("Doug",), "Edward": ("Ed", "Eddie"),
    "Elizabeth": ("Liz", "Beth", "Betty"), "Frederick": ("Fred",), "Gregory": ("Greg",), "Jacob": ("Jake",),
    "James": ("Jim", "Jimmy"), "Jeffrey": ("Jeff",), "Jennifer": ("Jen", "Jenny"), "Jessica": ("Jess",),
    "Jonathan": ("Jon",), "Joseph": ("Joe",), "Joshua": ("Josh",), "Katherine": ("Kate", "Kathy"),
    "Kathleen": ("Kathy",), "Kenneth": ("Ken",), "Kimberly": ("Kim",), "Margaret": ("Maggie", "Peggy"),
    "Matthew": ("Matt",), "Melissa": ("Missy",), "Michael": ("Mike",), "Nathaniel": ("Nate",),
    "Nicholas": ("Nick",), "Nicole": ("Nikki",), "Pamela": ("Pam",), "Patricia": ("Pat", "Trish"),
    "Patrick": ("Pat",), "Peter": ("Pete",), "Philip": ("Phil",), "Raymond": ("Ray",), "Rebecca": ("Becky",),
    "Richard": ("Rick", "Dick"), "Robert": ("Bob", "Rob"), "Ronald": ("Ron",), "Samantha": ("Sam",),
    "Samuel": ("Sam",), "Sandra": ("Sandy",), "Stephanie": ("Steph",), "Stephen": ("Steve",), "Steven": ("Steve",),
    "Susan": ("Sue",), "Theodore": ("Ted",), "Thomas": ("Tom",), "Timothy": ("Tim",), "Victoria": ("Vicky",),
    "Vincent": ("Vince",), "William": ("Bill", "Will"), "Zachary": ("Zach",),
}  # fmt: skip
_NEIGHBOURS = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
_WRONG_HOSTS = {
    "gmail.com": "gmial.com",
    "yahoo.com": "yaho.com",
    "hotmail.com": "hotmial.com",
    "icloud.com": "iclould.com",
}


def nickname(given: str, dice: random.Random) -> str:
    """Return a short form of a given name, where it has one."""
    return dice.choice(_NICKNAMES.get(given, (given,)))


def typo(text: str, dice: random.Random) -> str:
    """Return a text with one slip: a letter twice, lost, changed for its neighbour, or two in the wrong order."""
    if len(text) < 3:
        return text
    at = dice.randrange(1, len(text) - 1)
    kind = dice.randrange(4)
    if kind == 0:
        return text[:at] + text[at] + text[at:]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + dice.choice(_NEIGHBOURS.get(text[at].lower(), text[at])) + text[at + 1 :]
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def mistyped_email(email: str, dice: random.Random) -> str:
    """Return an e-mail address with a slip, in its name or in its host."""
    local, _, host = email.partition("@")
    if dice.random() < 0.3 and host in _WRONG_HOSTS:
        return f"{local}@{_WRONG_HOSTS[host]}"
    return f"{typo(local, dice)}@{host}"


def mistyped_phone(phone: str, dice: random.Random) -> str:
    """Return a phone number with one wrong digit, or two in the wrong order; the area code stays."""
    at = dice.randrange(5, len(phone) - 1)
    if dice.random() < 0.5:
        return phone[:at] + phone[at + 1] + phone[at] + phone[at + 2 :]
    return phone[:at] + str(dice.randrange(10)) + phone[at + 1 :]


def mistyped_birth(birth: date, dice: random.Random) -> date:
    """Return a birth date with day and month exchanged, a year off, or a day off."""
    kind = dice.randrange(3)
    if kind == 0 and birth.day <= 12:
        return date(birth.year, birth.day, birth.month)
    if kind == 1:
        return date(birth.year - dice.choice((-1, 1, 10)), birth.month, min(birth.day, 28))
    return birth + timedelta(days=dice.choice((-1, 1, 10)))


def written_street(street: str, dice: random.Random) -> str:
    """Return a street address as somebody writes it: spelled out, upper case, or with a unit."""
    kind = dice.randrange(4)
    if kind == 0:
        return street.replace(" St", " Street").replace(" Ave", " Avenue").replace(" Blvd", " Boulevard")
    if kind == 1:
        return street.upper()
    if kind == 2:
        return f"{street} #{dice.randrange(1, 30)}"
    return typo(street, dice)
