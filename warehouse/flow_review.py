"""Who would enter a flow: its gates asked about the last days, in a copy of the warehouse that is thrown away.

The copy asks as of the last moment, with what is known by then: an occurrence that has moved on since is `superseded`.
Nothing is landed, so nobody is enrolled.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from perennial.errors import PerennialError
from perennial.home import Home
from perennial.settings import Settings
from warehouse import operations
from warehouse.builder import settings_of_models
from warehouse.flow_context import withheld_advice
from warehouse.flow_settings import FlowSettings, read_flow_settings, told_overrides
from warehouse.ownership import owned
from warehouse.project import DbtProject

_ANSWERS = """
with asked as (
    select
        gates.customer_id,
        gates.node,
        coalesce(decisions.reason, gates.reason, 'enrolled') as answer,
        row_number() over (
            partition by gates.trigger_key, coalesce(gates.customer_id, gates.node)
            order by case when decisions.decision_id is null then 1 else 0 end, gates.triggered_at, gates.node
        ) as place
    from decisions.int_flow_gates as gates
    left join decisions.int_flow_decisions as decisions
        on gates.decision_id = decisions.decision_id and decisions.build_no = ?
)
select
    asked.answer,
    count(*) as occurrences,
    count(distinct coalesce(asked.customer_id, asked.node)) as people,
    max(reasons.sentence) as sentence
from asked
left join seeds.reasons as reasons on split_part(asked.answer, ':', 1) = split_part(reasons.reason, ':', 1)
where asked.place = 1
group by asked.answer
order by case when asked.answer = 'enrolled' then 0 else 1 end, occurrences desc, asked.answer
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """How many occurrences, of how many people, the gates answer alike; ``reason`` is None where they enroll."""

    reason: str | None
    occurrences: int
    people: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Review:
    """What the gates say of a flow's occurrences since an instant, as of another one.

    ``advice`` says what of its messages' content its destination would not be told.
    """

    flow_name: str
    since: datetime
    as_of: datetime
    answers: list[Answer]
    advice: str | None = None


def review(settings: Settings, name: str, days: int = 7) -> Review:
    """Ask the gates of a flow, whatever its status, about the days before the last moment."""
    home = Home(settings.home)
    flows = read_flow_settings(told_overrides(home.root))
    if name not in flows:
        raise PerennialError(f"there is no flow {name}", "perennial flow library lists them")
    with _copy_of(home) as copy:
        try:
            return _ask(settings, copy, name, flows[name], timedelta(days=days))
        except (duckdb.BinderException, duckdb.CatalogException):
            raise PerennialError(
                "the warehouse was built by another version of Perennial: a table or a column is missing",
                "perennial run deploys this version, and says when a rebuild is needed",
            ) from None


@contextmanager
def _copy_of(home: Home) -> Iterator[Path]:
    """Yield a copy of the warehouse, made while nobody writes to it, and remove it at the end."""
    scratch = home.root / "review"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with owned(home):
            if not home.warehouse.exists():
                raise PerennialError("nothing was ever built", "perennial run builds for the first time")
            scratch.mkdir(mode=0o700)
            for path in home.root.glob(f"{home.warehouse.name}*"):
                shutil.copy2(path, scratch / path.name)
        yield scratch / home.warehouse.name
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _ask(settings: Settings, copy: Path, name: str, flow: FlowSettings, period: timedelta) -> Review:
    project = DbtProject(copy, settings.home / "dbt")
    with duckdb.connect(str(copy)) as warehouse:
        last = operations.last_moment(warehouse, finished=True)
        if last is None:
            raise PerennialError("nothing was ever built", "perennial run builds for the first time")
        build_no, as_of, upto_seq = last[0] + 1, last[1], last[2]
        since = as_of - period
        # every occurrence of the days is in time, and what was decided about them is forgotten
        asked = flow.model_copy(update={"status": "active", "window": period})
        operations.set_flow_settings(warehouse, {name: asked}, {name: "review"}, {name: ("active", since)})
        for called in (name, *flow.previous_names):
            warehouse.execute(
                "delete from decisions.int_flow_decisions where flow_name = ? and triggered_at >= ?",
                [called, operations.naive(since)],
            )
        cursors = operations.cursors(warehouse, build_no)
    variables = settings_of_models(settings) | {
        "as_of": f"{operations.naive(as_of):%Y-%m-%d %H:%M:%S.%f}",
        "last_as_of": f"{operations.naive(since):%Y-%m-%d %H:%M:%S.%f}",
        "build_no": build_no,
        "upto_seq": upto_seq,
        "landed_seq": upto_seq,
        "running_flows": [name],
        "flow_renames": dict.fromkeys(flow.previous_names, name),
        "cursors": cursors,
    }
    models = ("int_flow_triggers", name, "int_flow_candidates", "int_flow_gates", "int_flow_decisions")
    result = project.invoke(["run", "--select", *models], variables)
    project.release()
    if not result.success:
        raise PerennialError(
            f"the flow can't be asked: {result.exception or 'its SQL does not run'}",
            f"dbt compile --select {name} says what is wrong; perennial run deploys what has changed",
        )
    with duckdb.connect(str(copy), read_only=True) as warehouse:
        rows = warehouse.execute(_ANSWERS, [build_no]).fetchall()
    answers = [
        Answer(None if answer == "enrolled" else answer, occurrences, people, sentence or "")
        for answer, occurrences, people, sentence in rows
    ]
    return Review(name, since, as_of, answers, withheld_advice(name, flow))
