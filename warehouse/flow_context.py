"""What a flow's messages are about, field by field, and which of it its destination is not told.

The fields are what the flow's SQL hands to ``flow_candidates``. They are read from the SQL itself, before any build:
it is rendered with the macros that make contexts, and everything else that it calls is nothing.
"""

import csv
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import jinja2

from warehouse.flow_settings import FlowSettings
from warehouse.outgoing import OutgoingFields
from warehouse.project import PROJECT

_GOING = frozenset({"active", "dry_run", "paused"})


class _Nothing(jinja2.ChainableUndefined):
    """Whatever else the SQL calls: rendered it is empty."""

    def __call__(self, *_given: object, **_named: object) -> Any:  # noqa: ANN401 - its base says that it never returns
        return self


class _ReturnedError(Exception):
    """How a macro hands back a value, as in dbt."""

    def __init__(self, value: object) -> None:
        self.value = value


def context_fields(name: str) -> list[str]:
    """Return the fields of a flow's context; none where its SQL makes them in a way that can't be read without dbt."""
    found: list[str] = []

    def flow_candidates(
        *_given: object, context: Mapping[str, object] | None = None, **_named: object
    ) -> str:
        found.extend(context or {})
        return ""

    [path] = (PROJECT / "models" / "flows").rglob(f"{name}.sql")
    try:
        sql = _macros().from_string(path.read_text(encoding="utf-8"))
        sql.render(flow_candidates=flow_candidates)
    except (jinja2.TemplateError, TypeError, ValueError):
        return []
    return found


def advice_on_withheld(flows: Mapping[str, FlowSettings]) -> list[str]:
    """Name the flows that run and whose destination is not told all that their messages are about."""
    return [
        advice
        for name, flow in flows.items()
        if flow.status in _GOING and (advice := withheld_advice(name, flow)) is not None
    ]


def withheld_advice(name: str, flow: FlowSettings) -> str | None:
    """Say which fields a flow's destination is not told, and what would allow it; None where it is told all."""
    fields = _listed().withheld(flow.destination, context_fields(name))
    if not fields:
        return None
    return (
        f"flow {name} does not tell {flow.destination} {', '.join(fields)}: a row of dbt/seeds/destination_fields.csv "
        f"would allow each, such as {flow.destination},detail,{fields[0]},WHY"
    )


def _listed() -> OutgoingFields:
    with (PROJECT / "seeds" / "destination_fields.csv").open(encoding="utf-8", newline="") as file:
        rows: Iterable[Mapping[str, str]] = csv.DictReader(file)
        return OutgoingFields(
            [(row["destination"], row["field"]) for row in rows if row["purpose"] == "detail"]
        )


@cache
def _macros() -> jinja2.Environment:
    """Return the environment in which a flow's SQL is rendered: with the macros of flows that hand back a value."""
    environment = jinja2.Environment(undefined=_Nothing, extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701 - SQL
    environment.globals["return"] = _hand_back
    for path in sorted((PROJECT / "macros" / "flows").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        if "return(" in text:
            macros = vars(environment.from_string(text).module).items()
            environment.globals |= {
                name: _called(macro) for name, macro in macros if not name.startswith("_")
            }
    return environment


def _called(macro: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: object, **named: object) -> object:
        try:
            return macro(*given, **named)
        except _ReturnedError as returned:
            return returned.value

    return call


def _hand_back(value: object) -> None:
    raise _ReturnedError(value)
