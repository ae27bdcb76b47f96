"""What Klaviyo has recorded, and how much it takes in how long."""

from sandbox.klaviyo.bodies import Event, read_deletion, read_event, read_job, read_suppression
from sandbox.klaviyo.book import LoyaltyBook
from sandbox.klaviyo.lists import Directory
from sandbox.limits import Limiter
from sandbox.received import Received

EVENTS, BULK, IMPORT = "/api/events", "/api/event-bulk-create-jobs", "/api/profile-import"
DELETIONS = "/api/data-privacy-deletion-jobs"
SUPPRESSIONS = "/api/profile-suppression-bulk-create-jobs"
READ_EVENTS, READ_METRICS = "GET /api/events", "GET /api/metrics"
JOBS, LISTS = "/api/profile-bulk-import-jobs", "/api/lists"
READ_JOBS, READ_JOB, READ_ERRORS = f"GET {JOBS}", f"GET {JOBS}/id", f"GET {JOBS}/id/import-errors"
READ_LIST, REMOVE = f"GET {LISTS}/id/profiles", f"DELETE {LISTS}/id/relationships/profiles"
LIMITS = {
    EVENTS: (350, 3500),
    BULK: (10, 150),
    IMPORT: (75, 750),
    DELETIONS: (3, 60),
    SUPPRESSIONS: (75, 750),
    READ_EVENTS: (350, 3500),
    READ_METRICS: (10, 150),
    JOBS: (10, 150),
    READ_JOBS: (10, 150),
    READ_JOB: (10, 150),
    READ_ERRORS: (10, 150),
    READ_LIST: (75, 750),
    REMOVE: (10, 150),
}
"""(burst a second, steady a minute) of each operation."""


class KlaviyoState:
    """The vendor's state: events and profiles that it recorded, and its limits."""

    def __init__(self, received: Received, book: LoyaltyBook) -> None:
        """Take up what was recorded before: deduplication outlives a restart."""
        self.received = received
        self.book = book
        self.limits: dict[str, tuple[int, int]] = dict(LIMITS)
        self.limiters: dict[str, Limiter] = {}
        self.limit({})
        self.events: set[tuple[str, str, str]] = set()
        self.directory = Directory()
        self.suppressed: set[str] = set()
        for call in received.calls("klaviyo", "accepted"):
            self._recall(str(call["path"]), call["body"])

    def limit(self, changes: dict[str, tuple[int, int]]) -> None:
        """Set (burst, steady) of operations, by path (``ValueError`` for another path)."""
        unknown = set(changes) - set(LIMITS)
        if unknown:
            raise ValueError(f"limits: {', '.join(sorted(unknown))} is unknown; use {', '.join(LIMITS)}")
        self.limits |= {path: (int(burst), int(steady)) for path, (burst, steady) in changes.items()}
        for path, (burst, steady) in self.limits.items():
            self.limiters[path] = Limiter((burst, 1), (steady, 60))

    def forget(self) -> None:
        """Drop every event and profile."""
        self.events.clear()
        self.suppressed.clear()
        self.directory.forget()

    def _recall(self, path: str, body: object) -> None:
        data = body.get("data") if isinstance(body, dict) else None
        if path.startswith(f"{LISTS}/"):
            self.directory.remove(path.split("/")[3], data)
        if not isinstance(data, dict):
            return
        if data.get("type") == "event":
            self.record(read_event(data, "/data"))
        elif data.get("type") == "profile":
            self.directory.import_one(data["attributes"], data.get("meta"))
        elif data.get("type") == "profile-bulk-import-job":
            self.directory.begin(data, at_once=True)
        elif data.get("type") == "profile-suppression-bulk-create-job":
            self.suppressed.update(read_suppression(data))
        elif data.get("type") == "data-privacy-deletion-job":
            self.delete(read_deletion(data))
        elif data.get("type") == "event-bulk-create-job":
            for event in read_job(data):
                self.record(event)

    def delete(self, profile: str) -> None:
        """Forget a profile and its events."""
        self.directory.delete(profile)
        self.events = {event for event in self.events if event[0] != profile}

    def record(self, event: Event) -> bool:
        """Record an event; return whether it is new."""
        key = (event.profile, event.metric, event.unique_id)
        if key in self.events:
            return False
        self.events.add(key)
        return True
