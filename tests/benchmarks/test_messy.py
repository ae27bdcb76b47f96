"""The messy set: the same from the same seed, and as messy as it says."""

from collections import Counter

import pytest

from benchmarks.identity import messy, town

PEOPLE = 4_000


@pytest.fixture(scope="module")
def small() -> messy.MessySet:
    """Return a small town's set."""
    return messy.generate(PEOPLE, seed=messy.DEVELOPMENT_SEEDS[0])


def share(values: list[str | None], wanted: str) -> float:
    """Return the share of the given values that begin so."""
    given = [value for value in values if value]
    return sum(value.startswith(wanted) for value in given) / len(given)


def test_the_same_seed_gives_the_same_set(small: messy.MessySet) -> None:
    """Another run scores on the same rows; another seed on others."""
    again = messy.generate(PEOPLE, seed=messy.DEVELOPMENT_SEEDS[0])
    assert again.sightings.equals(small.sightings)
    assert again.truth.equals(small.truth)
    assert not messy.generate(PEOPLE, seed=messy.DEVELOPMENT_SEEDS[1]).sightings.equals(small.sightings)


def test_rules_are_never_written_on_what_is_scored() -> None:
    """The seeds are apart."""
    assert not set(messy.DEVELOPMENT_SEEDS) & set(messy.SCORED_SEEDS)


def test_it_is_as_messy_as_it_says(small: messy.MessySet) -> None:
    """The shares that are written down are those of the rows."""
    rows = small.sightings.to_pylist()
    first = {row["node"]: row for row in reversed(rows)}
    kinds = Counter(node.partition(":")[0] for node in first)
    people_of_node = dict(
        zip(small.truth["node"].to_pylist(), small.truth["person_id"].to_pylist(), strict=True)
    )
    assert 2.5 < len(first) / PEOPLE < 2.8
    registrations = messy.AT_THE_TILL + messy.REGISTERS_AGAIN + messy.REGISTERS_A_THIRD_TIME
    assert kinds["flowhub_customer"] / PEOPLE == pytest.approx(registrations, rel=0.05)
    assert kinds["jane_user"] / PEOPLE == pytest.approx(messy.JANE_USER + messy.SECOND_JANE_USER, rel=0.05)
    emails = [row["email"] for row in first.values()]
    counter = sum(
        email is not None and (email.startswith("frontdesk") or email in messy.LISTED_EMAILS)
        for email in emails
    )
    contacts = sum(row["full_name"] is not None or row["email"] is not None for row in first.values())
    assert counter / contacts == pytest.approx(messy.KIOSK_EMAIL, rel=0.25)
    phones = [row["phone"] for row in first.values()]
    assert share(phones, "+1303862") == pytest.approx(messy.STORE_PHONE, rel=0.6)
    shown = {
        people_of_node[node] for node, row in first.items() if row["medical_id"] and node in people_of_node
    }
    assert len(shown) / PEOPLE == pytest.approx(town.MEDICAL * messy.AT_THE_TILL * messy.CARD_SHOWN, rel=0.2)
    # a record that several share stands for nobody
    assert len(people_of_node) < len(first)


def test_rows_come_in_the_order_in_which_they_landed(small: messy.MessySet) -> None:
    """``seq`` and ``row_no`` are a row's place, and time goes on."""
    places = list(zip(small.sightings["seq"].to_pylist(), small.sightings["row_no"].to_pylist(), strict=True))
    assert places == sorted(set(places))
    moments = small.sightings["seen_at"].to_pylist()
    assert moments == sorted(moments)
