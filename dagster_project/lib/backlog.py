"""Which landed batches no build has read yet."""

from extractors.landing.log import LandingLog
from warehouse.moments import covered
from warehouse.streams import has_news


def uncovered(log: LandingLog) -> int | None:
    """Return the newest batch with news that no finished moment covers; None when all are covered."""
    unread = [batch.seq for batch in log.batches(after=covered(log)) if has_news(batch.streams)]
    return unread[-1] if unread else None
