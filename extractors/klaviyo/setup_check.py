"""Tells whether the key reads what OMNI writes: one page of metrics, one of events; nothing is written."""

from extractors.checked import CheckResult
from extractors.http import Patience
from extractors.klaviyo.client import EVENTS_PATH, KEY, klaviyo_client
from extractors.klaviyo.pages import read_events
from extractors.klaviyo.pulls import PREFIX, omni_metrics
from perennial.errors import PerennialError
from perennial.settings import Settings

_ONE_TRY_MORE = Patience(attempts=2, in_all=5.0)


def check_klaviyo(settings: Settings) -> CheckResult:
    """Try the key on the account that OMNI writes to."""
    try:
        with klaviyo_client(settings, _ONE_TRY_MORE) as client:
            metrics = omni_metrics(client)
            if not metrics:
                return CheckResult(
                    KEY,
                    ok=False,
                    detail=f"{client.host} accepts it, and this account has no metric named {PREFIX}…",
                    fix="use a key of the account that OMNI writes to, or ask OMNI to connect Klaviyo",
                )
            params: dict[str, str | int] = {
                "filter": f'equals(metric_id,"{metrics[0].metric_id}")',
                "include": "profile",
                "page[size]": 1,
            }
            read_events(client.get(EVENTS_PATH, params), EVENTS_PATH, metrics[0])
            return CheckResult(
                KEY, ok=True, detail=f"{client.host} accepts it; {len(metrics)} of OMNI's metrics"
            )
    except PerennialError as error:
        return CheckResult(KEY, ok=False, detail=error.cause, fix=error.fix)
