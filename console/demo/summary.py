"""What the demo ends with: what came in, who it is, who gets what, and where to look next."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from console.demo.tally import OUTCOMES, Tally
from console.tables import show, table
from perennial.home import Home
from perennial.published import Published, open_published

TOP_REASONS = 3


def show_summary(console: Console, home: Home, tally: Tally, *, since_build: int, seconds: float) -> None:
    """Print the tables; everything about people comes from what is published, as any reader would get it.

    Decisions of builds after ``since_build`` are those of this call.
    """
    published = open_published(home)
    with published.connection:
        console.print()
        show(console, "Extracted in this call", _extracted(tally))
        show(console, "Who is who", _people(published))
        show(console, "Audiences", _audiences(published))
        show(console, "Flows", _flows(published, since_build))
        show(console, "What the messaging systems said in this call", _accepted(tally))
        show(console, f"Where the time went, in {tally.runs} runs of the job", _durations(tally, seconds))
        _where_next(console, home)


def _extracted(tally: Tally) -> Table:
    made = table("stream", "rows", "batches")
    for stream in tally.rows:
        made.add_row(stream, f"{tally.rows[stream]:,}", f"{tally.batches[stream]:,}")
    return made


def _people(published: Published) -> Table:
    made = table("", "count")
    for label, sql in (
        ("people", "select count(*) from marts.dim_customers"),
        ("… resolved from records of customers", "select count(*) from identity.int_identity__map"),
        ("… with identifiers", "select count(*) from marts.customer_identifiers"),
        (
            "… of which several people share",
            "select count(*) from marts.customer_identifiers where is_shared",
        ),
        ("orders", "select count(*) from marts.fct_orders"),
        ("events", "select count(*) from marts.fct_events"),
    ):
        made.add_row(label, f"{_one(published, sql):,}")
    return made


def _audiences(published: Published) -> Table:
    made = table("audience", "people")
    sql = "select audience_name, count(*) from marts.audience_members group by all order by audience_name"
    for name, people in _rows(published, sql):
        made.add_row(str(name), f"{people:,}")
    return made


def _flows(published: Published, since_build: int) -> Table:
    made = table("flow", "enrolled now", "in all", "skipped now", "in all", ".most frequent reasons")
    counts = _rows(
        published,
        """
        select
            flow_name,
            count(*) filter (outcome = 'enrolled' and build_no > $since_build),
            count(*) filter (outcome = 'enrolled'),
            count(*) filter (outcome = 'skipped' and build_no > $since_build),
            count(*) filter (outcome = 'skipped')
        from marts.flow_decisions
        group by flow_name
        order by flow_name
        """,
        {"since_build": since_build},
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
    for flow, *numbers in counts:
        top = [f"{reason} {count:,}" for name, reason, count in reasons if name == flow][:TOP_REASONS]
        made.add_row(str(flow), *(f"{number:,}" for number in numbers), ", ".join(top))
    return made


def _accepted(tally: Tally) -> Table:
    seen = {name for counts in tally.outcomes.values() for name, count in counts.items() if count}
    shown = [name for name in OUTCOMES if name in {"accepted", "rejected", "ambiguous"} | seen]
    made = table("system", *shown)
    for destination, counts in tally.outcomes.items():
        made.add_row(destination, *(f"{counts[name]:,}" for name in shown))
    return made


def _durations(tally: Tally, seconds: float) -> Table:
    made = table("", "seconds")
    for phase, spent in sorted(tally.seconds.items(), key=lambda pair: -pair[1]):
        made.add_row(phase, f"{spent:.1f}")
    made.add_row("all of it, with starting and emitting", f"{seconds:.1f}")
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


def _rows(
    published: Published, sql: str, values: Mapping[str, object] | None = None
) -> Sequence[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = published.connection.execute(sql, values or {}).fetchall()
    return found


def _one(published: Published, sql: str) -> int:
    [(count,)] = _rows(published, sql)
    return int(count)
