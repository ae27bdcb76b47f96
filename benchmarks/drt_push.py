"""drt sending rows to a local receiver: ``drt_push.py klaviyo|rest URL ROWS.json [RATE]``.

Run by ``benchmarks/push_rate.py`` in the rivals' environment, which knows nothing of Perennial. drt's own destination
classes get the rows at once, so neither its source nor its state is in the time. It prints ``{"seconds", "success"}``
as its last line.
"""

import json
import sys
import time
from pathlib import Path

from drt.config.models import KlaviyoDestinationConfig, RateLimitConfig, RestApiDestinationConfig, SyncOptions
from drt.destinations import klaviyo, rest_api


def main() -> None:
    """Send once."""
    kind, url, rows = sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
    rate = float(sys.argv[4]) if len(sys.argv) > 4 else 0
    options = SyncOptions(rate_limit=RateLimitConfig(requests_per_second=rate))
    if kind == "klaviyo":
        klaviyo._BASE = f"{url}/api"  # noqa: SLF001 -- it knows no other address than the vendor's
        config = KlaviyoDestinationConfig(
            type="klaviyo",
            api_key=sys.argv[5] if len(sys.argv) > 5 else "key",
            endpoint="event",
            metric_name="Cart abandoned recovery",
            time_field="triggered_at",
            unique_id_field="enrollment_id",
        )
        destination = klaviyo.KlaviyoDestination()
    else:
        config = RestApiDestinationConfig(type="rest_api", url=url)
        destination = rest_api.RestApiDestination()
    began = time.monotonic()
    result = destination.load(rows, config, options)
    seconds = time.monotonic() - began
    print(json.dumps({"seconds": seconds, "success": result.success}))


if __name__ == "__main__":
    main()
