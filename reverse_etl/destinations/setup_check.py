"""Tells whether a destination takes our credentials, and leaves nothing there.

The call is the push's own with nothing in it: whose credentials are good is told what is missing, whose are not is told
that. Reading would prove less, for the keys may be allowed to write alone. A destination that takes
anything (a receiver of webhooks, a folder) has a way of its own.
"""

import asyncio

from extractors.checked import CheckResult
from reverse_etl.destinations.base import Answer, Checkable, Destination, Effect

_SAYS = {
    Effect.TAKEN: "the credentials are accepted",
    Effect.REFUSED: "the credentials are accepted; an empty call was refused, as it must be",
}


def check_destination(destination: Destination) -> CheckResult:
    """Make one call without content."""
    answer = asyncio.run(_try(destination))
    says = _SAYS.get(answer.effect)
    if says is not None:
        return CheckResult(
            destination.name, ok=True, detail=(answer.effect is Effect.TAKEN and answer.reason) or says
        )
    cause, _, fix = (answer.reason or "no answer").partition("; ")
    return CheckResult(
        destination.name, ok=False, detail=cause, fix=fix or "try again; nothing is sent or lost meanwhile"
    )


async def _try(destination: Destination) -> Answer:
    if isinstance(destination, Checkable):
        return await destination.check()
    async with destination.session() as session:
        [answer] = await session.send([{}])
        return answer
