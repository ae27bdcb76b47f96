"""Who is meant by what somebody typed."""

from erasure.person import called
from perennial.errors import PerennialError
from perennial.published import Published


def the_one_called(published: Published, asked: str) -> str:
    """Return the ``customer_id`` of the one person that an e-mail, phone, record or id leads to.

    Raises ``PerennialError`` where nobody is known by it, or several people are.
    """
    found = called(published.connection, asked)
    if not found:
        raise PerennialError(
            f"nobody is known by that name as of build {published.build_no}",
            "give an e-mail, a phone number with its area code, a record (type:id), or a customer_id",
        )
    if len(found) > 1:
        raise PerennialError(
            f"that identifier belongs to {len(found)} people: {', '.join(found)}",
            "call it with one of these; perennial identity why, with a record of each, says what keeps them apart",
        )
    return found[0]
