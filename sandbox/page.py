"""The sandbox's page: what each vendor got and served, plainly, for a person."""

import json
from collections.abc import Sequence
from html import escape

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from sandbox.runtime import Runtime
from sandbox.world.spec import STORE_ZONE

LAST_CALLS = 40
SHOWN = 600
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222 }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; width: 100% }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #ddd }
td { vertical-align: top }
th { font-weight: 600 }
code { font-size: 13px; overflow-wrap: anywhere } h2 { margin-top: 2rem }
"""


def add_page(app: FastAPI, runtime: Runtime) -> None:
    """Serve the page at ``/``."""

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return render(runtime)


def render(runtime: Runtime) -> str:
    """Return the page."""
    now = runtime.clock.now()
    local = now.astimezone(STORE_ZONE)
    world = runtime.world
    pace = "runs" if runtime.clock_runs() else "stands still until it is set"
    facts = (
        ("Clock", f"{local:%A %d %B %Y, %H:%M:%S} in Denver; it {pace}"),
        ("Customers in Flowhub", f"{len(world.records):,}"),
        ("Orders of the whole replay", f"{len(world.orders.order_no):,}"),
        ("Webhooks and partner events sent", f"{runtime.outbox.sent:,} of {len(world.emissions):,}"),
        ("Faults still to happen", str(sum(fault.count for fault in runtime.faults.waiting()))),
    )
    parts = [_table(("", ""), facts)]
    for vendor, title in (("aiq", "AIQ"), ("klaviyo", "Klaviyo"), ("webhook", "The webhook's receiver")):
        parts += [f"<h2>{title} received</h2>", _received(runtime, vendor)]
    served = [(*key, f"{calls:,}") for key, calls in sorted(runtime.received.served.items())]
    parts += [
        "<h2>Served since the start</h2>",
        _table(("vendor", "method", "path", "outcome", "calls"), served),
    ]
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Sandbox</title><style>{_STYLE}</style>"
        f"<h1>The vendors' side</h1><p>Everything here is invented; nothing leaves this machine.</p>"
        f"{''.join(parts)}</html>"
    )


def _received(runtime: Runtime, vendor: str) -> str:
    outcomes = [(name, f"{count:,}") for name, count in runtime.received.outcomes(vendor).items()]
    if not outcomes:
        return "<p>Nothing yet.</p>"
    events = [(name, f"{count:,}") for name, count in runtime.received.accepted_events(vendor).items()]
    calls = [
        (
            str(call["received_at"])[:19],
            str(call["outcome"]),
            str(call["event_name"]),
            str(call["reason"]),
            _short(call["body"]),
        )
        for call in reversed(runtime.received.calls(vendor, limit=LAST_CALLS))
    ]
    return (
        _table(("outcome", "calls"), outcomes)
        + _table(("accepted event", "calls"), events)
        + f"<p>The last {len(calls)} calls, newest first; "
        + f"<a href='/control/received/{vendor}'>all as JSON</a></p>"
        + _table(("at", "outcome", "event", "reason", "body"), calls)
    )


def _short(body: object) -> str:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} …"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    return f"<table><tr>{titles}</tr>{''.join(_row(head, row) for row in rows)}</table>"


def _row(head: tuple[str, ...], row: tuple[str, ...]) -> str:
    cells = (f"<td>{_cell(text, title)}</td>" for text, title in zip(row, head, strict=True))
    return f"<tr>{''.join(cells)}</tr>"


def _cell(text: str, title: str) -> str:
    return f"<code>{escape(text)}</code>" if title in {"body", "path"} else escape(text)
