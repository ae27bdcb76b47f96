"""Which landed batches no build has read yet."""

from extractors.landing.log import LandingLog
from warehouse.moments import covered

OWN_PREFIX = "perennial/"


def uncovered(log: LandingLog) -> int | None:
    """Return the newest batch with foreign rows that no finished moment covers; None when all are covered.

    What Perennial landed itself never starts a build, or builds would start each other.
    """
    unread = [
        batch.seq
        for batch in log.batches(after=covered(log))
        if any(not stream.startswith(OWN_PREFIX) for stream in batch.streams)
    ]
    return unread[-1] if unread else None
