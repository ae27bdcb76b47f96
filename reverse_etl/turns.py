"""What decisions watch, kept from when it lands until a build has read it: from then on the build's exits say it.

So there are few of these facts, however long a history the log has, and what SQL makes of them is the last word.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, select

from reverse_etl.facts import CartNews
from reverse_etl.ledger.insert import insert_into
from reverse_etl.ledger.parts import in_parts
from reverse_etl.ledger.tables import IS_PASSING, facts
from reverse_etl.watched import Turn, buyer_of, key_of


def online_sales(connection: Connection, all_news: Sequence[CartNews], after: int) -> list[Turn]:
    """Return who ordered online by what landed after a seq; an order that was known before is not a new one.

    Ask before the news is taken in.
    """
    ordered = [news for news in all_news if "purchased" in news.facts]
    if not any(news.seq > after and news.buyer for news in ordered):
        return []
    known: set[str] = set()
    for part in in_parts(sorted({cart_id for news in ordered for cart_id in news.cart_ids})):
        query = select(facts.c.subject).where(facts.c.subject.in_(part), facts.c.fact == "purchased")
        known.update(connection.scalars(query))
    found = []
    for news in ordered:
        if news.seq > after and news.buyer and known.isdisjoint(news.cart_ids):
            found.append(Turn(buyer_of(f"jane_user:{news.buyer}"), "bought", news.seq, at=news.at))
        known.update(news.cart_ids)
    return found


def keep_turns(connection: Connection, turns: Iterable[Turn]) -> None:
    """Take in the last that was said under each key, of sales the latest."""
    told: dict[str, dict[str, Turn]] = defaultdict(dict)
    taken_back: set[str] = set()
    for turn in turns:
        if turn.takes_back:
            told.pop(turn.key, None)
            taken_back.add(turn.key)
            continue
        before = told[turn.key].get(turn.subject)
        if before is None or before.at is None or turn.at is None or turn.at > before.at:
            told[turn.key][turn.subject] = turn
    if taken_back:
        known = connection.scalars(select(facts.c.subject).where(IS_PASSING)).all()
        for part in in_parts([subject for subject in known if key_of(subject) in taken_back]):
            connection.execute(delete(facts).where(facts.c.subject.in_(part)))
    rows = [
        {"subject": turn.subject, "fact": turn.fact, "seq": turn.seq, "at": turn.at}
        for of_key in told.values()
        for turn in of_key.values()
    ]
    if not rows:
        return
    statement = insert_into(connection, facts)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[facts.c.subject, facts.c.fact],
            set_={"seq": new.seq, "at": new.at},
            where=facts.c.at.is_(None) | (new.at > facts.c.at),
        ),
        rows,
    )


def forget_built(connection: Connection, built: int) -> None:
    """Forget what a build has read whose exits are in the ledger."""
    connection.execute(delete(facts).where(IS_PASSING, facts.c.seq <= built))
