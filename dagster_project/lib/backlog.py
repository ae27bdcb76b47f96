"""Which landed batches no build has read yet."""

import json

from extractors.landing.log import LandingLog

OWN_PREFIX = "perennial/"


def uncovered(log: LandingLog) -> int | None:
    """Return the newest batch with foreign rows that no moment covers; None when all are covered.

    What Perennial landed itself never starts a build, or builds would start each other.
    """
    covered = 0
    newest = None
    # Moments land one batch a build: the newest one is near the end, so the log is read backwards in windows.
    for batch in reversed(log.batches()):
        if "perennial/moments" in batch.streams:
            for record in log.read("perennial", "moments", after=batch.seq - 1, upto=batch.seq):
                covered = max(covered, int(json.loads(record.payload)["upto_seq"]))
            break
    for batch in log.batches(after=covered):
        if any(not stream.startswith(OWN_PREFIX) for stream in batch.streams):
            newest = batch.seq
    return newest
