"""What the receiver counts, for Prometheus; labels are sources and statuses, never values."""

from http import HTTPStatus

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SOURCES = ("jane", "omni", "shopify", "messaging")


class Metrics:
    """The figures of one receiver process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
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
            "perennial_receiver_waiting_bytes", "Bytes that wait for the disk", registry=self._registry
        )
        self._sealing_stuck = Gauge(
            "perennial_receiver_sealing_stuck", "1 while segments can't be landed", registry=self._registry
        )

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

    def text(self, waiting_bytes: int, *, sealing_stuck: bool) -> bytes:
        """Return all figures in Prometheus' text format."""
        self._waiting.set(waiting_bytes)
        self._sealing_stuck.set(sealing_stuck)
        return generate_latest(self._registry)


def _source_of(path: str) -> str:
    if path == "/v1/events":
        return "partners"
    found = path.removeprefix("/webhooks/").partition("/")[0]
    return found if path.startswith("/webhooks/") and found in _SOURCES else "other"
