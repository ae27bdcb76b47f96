"""What the receiver counts, for Prometheus; labels are sources and statuses, never values.

Where several workers receive, the client library keeps each one's figures in a shared folder (``workers.py``) and adds
them up, so that it doesn't matter which of them answers.
"""

import os
from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from extractors.receiver.workers import FIGURES

_SOURCES = ("jane", "omni", "shopify", "messaging")


class Metrics:
    """The figures of a receiver: of this process, and of its fellow workers where it has some."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._shared = FIGURES in os.environ
        self._accepted = Counter(
            "perennial_receiver_records", "Records acknowledged", ["source"], registry=self._registry
        )
        self._stale = Counter(
            "perennial_receiver_stale",
            "Records accepted with a right signature and an old timestamp",
            ["source"],
            registry=self._registry,
        )
        self._refused = Counter(
            "perennial_receiver_refused", "Requests refused", ["source", "status"], registry=self._registry
        )
        self._landed = Counter(
            "perennial_receiver_landed", "Records sealed into the log", registry=self._registry
        )
        self._seconds = Histogram(
            "perennial_receiver_durable_seconds",
            "From a checked body to its sync",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=self._registry,
        )
        self._waiting = Gauge(
            "perennial_receiver_waiting_bytes",
            "Bytes that wait for the disk",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self._sealing_stuck = Gauge(
            "perennial_receiver_sealing_stuck",
            "1 while segments can't be landed",
            multiprocess_mode="livemax",
            registry=self._registry,
        )
        self._workers = Gauge(
            "perennial_receiver_workers",
            "Processes that receive",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self._workers.set(1)

    def accepted(self, source: str, records: int, stale: int, seconds: float) -> None:
        """Count what was acknowledged and how long its way to the disk took."""
        self._accepted.labels(source).inc(records)
        self._stale.labels(source).inc(stale)
        self._seconds.observe(seconds)

    def refused(self, path: str, status: HTTPStatus) -> None:
        """Count a refusal by the source that the path belongs to."""
        self._refused.labels(_source_of(path), str(status.value)).inc()

    def landed(self, records: int) -> None:
        """Count what the sealer landed."""
        self._landed.inc(records)

    def present(self, waiting_bytes: int, *, sealing_stuck: bool) -> None:
        """Take note of this process's present state."""
        self._waiting.set(waiting_bytes)
        self._sealing_stuck.set(sealing_stuck)

    def sealing_stuck(self) -> bool:
        """Tell whether a process can't land its segments."""
        return bool(self._together().get_sample_value("perennial_receiver_sealing_stuck"))

    def workers(self) -> int:
        """Return how many processes receive."""
        return int(self._together().get_sample_value("perennial_receiver_workers") or 0)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._together())

    def _together(self) -> CollectorRegistry:
        if not self._shared:
            return self._registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry


def _source_of(path: str) -> str:
    if path == "/v1/events":
        return "partners"
    found = path.removeprefix("/webhooks/").partition("/")[0]
    return found if path.startswith("/webhooks/") and found in _SOURCES else "other"
