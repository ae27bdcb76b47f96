"""What the demo ends with: what came in, who it is, who gets what, and where to look next."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from console.demo.tally import OUTCOMES, Tally
from console.tables import table
from perennial.home import Home
from perennial.published import Published, open_published

TOP_REASONS = 3


def show_summary(console: Console, home: Home, tally: Tally, began: float) -> None:
    """Print the tables; everything about people comes from what is published, as any reader would get it."""
    published = open_published(home)
    with published.connection:
        console.print()
        console.print(_extracted(tally))
        console.print(_people(published))
        console.print(_audiences(published))
        console.print(_flows(published))
        console.print(_accepted(tally))
        console.print(_durations(tally, time.monotonic() - began))
        _where_next(console, home)


def _extracted(tally: Tally) -> Table:
    made = table("Extracted in this call", "stream", "rows", "batches")
    for stream in tally.rows:
        made.add_row(stream, f"{tally.rows[stream]:,}", f"{tally.batches[stream]:,}")
    return made


def _people(published: Published) -> Table:
    made = table("Who is who", "", "count")
    for label, sql in (
        ("people", "select count(*) from marts.dim_customers"),
        ("identifiers", "select count(*) from marts.customer_identifiers"),
        ("identifiers that people share", "select count(*) from marts.customer_identifiers where is_shared"),
        ("orders", "select count(*) from marts.fct_orders"),
        ("events", "select count(*) from marts.fct_events"),
    ):
        made.add_row(label, f"{_one(published, sql):,}")
    return made


def _audiences(published: Published) -> Table:
    made = table("Audiences", "audience", "people")
    sql = "select audience_name, count(*) from marts.audience_members group by all order by audience_name"
    for name, people in _rows(published, sql):
        made.add_row(str(name), f"{people:,}")
    return made


def _flows(published: Published) -> Table:
    made = table("Flows, since they are active", "flow", "enrolled", "skipped", ".most frequent reasons")
    counts = _rows(
        published,
        """
        select
            flow_name,
            count(*) filter (outcome = 'enrolled'),
            count(*) filter (outcome = 'skipped')
        from marts.flow_decisions
        group by flow_name
        order by flow_name
        """,
    )
    reasons = _rows(
        published,
        """
        select flow_name, reason, count(*) as decisions
        from marts.flow_decisions
        where outcome = 'skipped'
        group by flow_name, reason
        order by decisions desc, reason
        """,
    )
    for flow, enrolled, skipped in counts:
        top = [f"{reason} {count:,}" for name, reason, count in reasons if name == flow][:TOP_REASONS]
        made.add_row(str(flow), f"{enrolled:,}", f"{skipped:,}", ", ".join(top))
    return made


def _accepted(tally: Tally) -> Table:
    seen = {name for counts in tally.outcomes.values() for name, count in counts.items() if count}
    shown = [name for name in OUTCOMES if name in {"accepted", "rejected", "ambiguous"} | seen]
    made = table("What the messaging systems said in this call", "system", *shown)
    for destination, counts in tally.outcomes.items():
        made.add_row(destination, *(f"{counts[name]:,}" for name in shown))
    return made


def _durations(tally: Tally, total: float) -> Table:
    made = table(f"Where the time went ({tally.runs} runs of the job)", "", "seconds")
    for phase, seconds in sorted(tally.seconds.items(), key=lambda pair: -pair[1]):
        made.add_row(phase, f"{seconds:.1f}")
    made.add_row("all of it, with starting and emitting", f"{total:.1f}")
    return made


def _where_next(console: Console, home: Home) -> None:
    console.print("[bold]Where to look next[/]")
    near = Path.cwd().parents[1] if home.root == Path.cwd() else Path.cwd()
    current = home.published / "current.json"
    for what, where in (
        ("the runs, assets and checks in Dagster's UI", "make dev, then http://127.0.0.1:3333"),
        ("what AIQ and Klaviyo received", "make dev, then http://127.0.0.1:8700"),
        ("the published tables, for plain DuckDB", str(_short(current, near))),
        ("what Great Expectations said of the landed rows", str(_short(home.data_docs / "index.html", near))),
        ("how it works, and how to add an audience or a flow", "README.md and CONTRIBUTING.md"),
    ):
        console.print(f"  {what}: [cyan]{where}[/]", soft_wrap=True)


def _short(path: Path, near: Path) -> Path:
    return path.relative_to(near) if path.is_relative_to(near) else path


def _rows(published: Published, sql: str) -> Sequence[tuple[object, ...]]:
    found: Iterable[tuple[object, ...]] = published.connection.execute(sql).fetchall()
    return list(found)


def _one(published: Published, sql: str) -> int:
    [(count,)] = published.connection.execute(sql).fetchall()
    return int(count)
