"""What the parts of a running sandbox share."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from perennial.clock import SandboxClock
from sandbox.aiq import AiqState
from sandbox.emitters.outbox import Outbox
from sandbox.faults import Connections, Faults
from sandbox.flowhub.api import FlowhubState
from sandbox.klaviyo.state import KlaviyoState
from sandbox.received import Received
from sandbox.webhook import WebhookState
from sandbox.world.spec import WorldSpec
from sandbox.world.world import World


@dataclass
class Runtime:
    """A sandbox in a home: its world, clock, vendors' books and faults."""

    folder: Path
    spec: WorldSpec
    world: World
    clock: SandboxClock
    faults: Faults
    connections: Connections
    received: Received
    flowhub: FlowhubState
    outbox: Outbox
    aiq: AiqState
    klaviyo: KlaviyoState
    webhook: WebhookState

    def clock_runs(self) -> bool:
        """Tell whether the clock runs, or stands until it is set."""
        return bool(json.loads(self.clock.path.read_text(encoding="utf-8"))["running"])

    def check_instant(self, instant: datetime) -> None:
        """Refuse an instant that the world doesn't hold (``ValueError``)."""
        first, last = self.spec.history_start, self.spec.horizon
        if not first <= instant <= last:
            raise ValueError(
                f"instant: this world runs from {first.isoformat()} to {last.isoformat()}; "
                "start the sandbox with another window to replay another part of the year"
            )
