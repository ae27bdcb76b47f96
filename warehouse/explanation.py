"""Why somebody got a message, or did not: from what was decided, what waits, and what came nearest to a trigger."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from perennial.errors import PerennialError
from perennial.published import Published
from warehouse.identity import require

_READS = (
    "marts.flow_catalogue", "marts.flow_standing", "marts.flow_pending", "marts.flow_exits", "marts.audience_changes",
    "marts.activation_receipts", "decisions.int_flow_decisions", "identity.int_identity__map", "events.int_events",
    "products.int_product_interest", "seeds.reasons", "seeds.event_types",
)  # fmt: skip
_FLOW = """
    select flow_name, previous_names, display_name, status, active_since, triggers,
        exists (
            select 1 from seeds.event_types
            where category = 'inventory' and list_contains(string_split(triggers, ','), event_name)
        ) as is_about_products
    from marts.flow_catalogue
    where flow_name = $flow or list_contains(string_split(previous_names, ','), $flow)
"""
_DECISIONS = """
    select
        decisions.decision_id, decisions.mode, decisions.trigger_key, decisions.trigger_event_id,
        decisions.triggered_at, decisions.decided_at, decisions.build_no, decisions.outcome, decisions.reason,
        reasons.sentence, decisions.detail, decisions.channels, decisions.not_before, decisions.expires_at,
        receipts.status as receipt, receipts.accepted_at, receipts.error, exits.reason as exit_reason, exits.exited_at
    from decisions.int_flow_decisions as decisions
    left join identity.int_identity__map as map on decisions.record_key = map.record_key
    left join seeds.reasons as reasons on split_part(decisions.reason, ':', 1) = reasons.reason
    left join marts.activation_receipts as receipts on decisions.decision_id = receipts.enrollment_id
    left join marts.flow_exits as exits on decisions.decision_id = exits.enrollment_id
    where list_contains($names, decisions.flow_name) and coalesce(map.customer_id, decisions.customer_id) = $customer_id
        and decisions.triggered_at <= $at
    order by decisions.decided_at desc, decisions.triggered_at desc, decisions.decision_id
"""
_WAITING = """
    select pending.trigger_key, pending.triggered_at, pending.last_failed_gate as reason, reasons.sentence,
        pending.window_ends_at
    from marts.flow_pending as pending
    left join seeds.reasons as reasons on split_part(pending.last_failed_gate, ':', 1) = reasons.reason
    where pending.flow_name = $flow and pending.customer_id = $customer_id
    order by pending.triggered_at desc
"""
_STANDING = """
    select standing.reason, reasons.sentence, standing.detail
    from marts.flow_standing as standing
    left join seeds.reasons as reasons on split_part(standing.reason, ':', 1) = reasons.reason
    where standing.flow_name = $flow and standing.customer_id = $customer_id
"""
_RECORDS = "select record_key from identity.int_identity__map where customer_id = $customer_id"
# Older than any window: nobody asks about them.
_LOOKBACK = timedelta(days=400)
_EVENTS = """
    with names as (
        select
            event_name,
            list_contains($triggers, event_name) or coalesce(list_contains($triggers, same_as), false) as is_trigger,
            category in (
                select category from seeds.event_types where list_contains($triggers, event_name)
            ) as is_like_it
        from seeds.event_types
    )
    select events.event_name, events.source, events.occurred_at, events.received_at, events.status, events.reason,
        case
            when not names.is_trigger then 'another_event'
            when events.received_at > $at then 'not_received_yet'
            when flows.status not in ('active', 'dry_run') then 'flow_is_' || flows.status
            when events.occurred_at < flows.active_since then 'before_activation'
            else 'not_taken'
        end as why
    from events.int_events as events
    inner join names on events.event_name = names.event_name
    inner join marts.flow_catalogue as flows on flows.flow_name = $flow
    where list_contains($records, events.record_key) and (names.is_trigger or names.is_like_it)
        and events.occurred_at > $since and events.occurred_at <= $at
        and not list_contains($decided, events.event_id)
    order by names.is_trigger desc, events.occurred_at desc, events.event_id
    limit 5
"""
# Nobody is on the news of a product: it is hers where she showed that she cares for the product.
_PRODUCT_NEWS = """
    with cared as (
        select product_ref from products.int_product_interest where list_contains($records, record_key)
    )
    select events.event_name, events.source, events.occurred_at, events.received_at, events.status,
        coalesce(json_extract_string(events.properties, '$.product_name'), events.object_id) as reason,
        case
            when events.received_at > $at then 'not_received_yet'
            when flows.status not in ('active', 'dry_run') then 'flow_is_' || flows.status
            when events.occurred_at < flows.active_since then 'before_activation'
            else 'not_for_her'
        end as why
    from events.int_events as events
    inner join marts.flow_catalogue as flows on flows.flow_name = $flow
    where list_contains($triggers, events.event_name)
        and events.occurred_at > $since and events.occurred_at <= $at
        and not list_contains($decided, events.event_id)
        and (
            (events.object_type = 'product' and events.object_id in (select product_ref from cared))
            or 'id:' || json_extract_string(events.properties, '$.product_id') in (select product_ref from cared)
        )
    order by events.occurred_at desc, events.event_id
    limit 5
"""
_CHANGES = """
    select 'audience_' || changes.change || ':' || changes.audience_name as event_name, 'perennial' as source,
        changes.changed_at as occurred_at, changes.changed_at as received_at, null as status, null as reason,
        case
            when not list_contains($triggers, 'audience_' || changes.change || ':' || changes.audience_name)
                then 'another_event'
            when changes.is_baseline then 'was_there_before'
            when flows.status not in ('active', 'dry_run') then 'flow_is_' || flows.status
            when changes.changed_at < flows.active_since then 'before_activation'
            else 'not_taken'
        end as why
    from marts.audience_changes as changes
    inner join marts.flow_catalogue as flows on flows.flow_name = $flow
    where changes.customer_id = $customer_id and changes.changed_at > $since and changes.changed_at <= $at
        and list_contains(list_transform($triggers, lambda name: split_part(name, ':', 2)), changes.audience_name)
        and not list_contains($decided_at, changes.changed_at)
    order by why = 'another_event', changes.changed_at desc
    limit 5
"""


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow as it is set now."""

    name: str
    previous_names: Sequence[str]
    display_name: str
    status: str
    active_since: datetime | None
    triggers: Sequence[str]
    is_about_products: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about an occurrence, with the values that decided it, and what became of it."""

    decision_id: str
    mode: str
    trigger_key: str
    trigger_event_id: str
    triggered_at: datetime
    decided_at: datetime
    build_no: int
    outcome: str
    reason: str | None
    sentence: str | None
    detail: Mapping[str, Any]
    channels: str
    not_before: datetime | None
    expires_at: datetime | None
    receipt: str | None
    accepted_at: datetime | None
    error: str | None
    exit_reason: str | None
    exited_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An occurrence that waits for news of its person, and the gate that it waits at."""

    trigger_key: str
    triggered_at: datetime
    reason: str
    sentence: str
    window_ends_at: datetime


@dataclass(frozen=True, slots=True)
class Near:
    """An event of hers that was no candidate, and why: a word of ``NEAR``, or ``flow_is_`` and the flow's status."""

    event_name: str
    source: str
    occurred_at: datetime
    received_at: datetime
    status: str | None
    reason: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How she stands with the flow now: the first gate that she fails of those that need no trigger, and the values."""

    reason: str | None
    sentence: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of a person and a flow at an instant; decisions and events with the newest first.

    ``undecided`` are decisions that fell later than the instant asked about. ``waiting`` and ``standing`` are of the
    last moment, so they are there only where that is what is asked about.
    """

    flow: Flow
    customer_id: str
    at: datetime
    decisions: Sequence[Decision]
    undecided: Sequence[Decision]
    waiting: Sequence[Waiting]
    near: Sequence[Near]
    standing: Standing | None


def explain(
    published: Published, flow_name: str, customer_id: str, at: datetime | None = None
) -> Explanation:
    """Explain a person and a flow at an instant; without one, as of the last moment that is published.

    Raises ``PerennialError`` where there is no such flow, or the instant is later than what is known.
    """
    require(published, _READS)
    known_until = published.as_of.replace(tzinfo=None)
    asked = known_until if at is None else at
    if asked > known_until:
        raise PerennialError(
            f"nothing is known yet of {asked:%Y-%m-%d %H:%M:%S} UTC: build {published.build_no} is of "
            f"{known_until:%Y-%m-%d %H:%M:%S} UTC",
            "leave out --at for what is known now, or build again: perennial run",
        )
    flow = _flow(published, flow_name)
    named = {"flow": flow.name, "customer_id": customer_id}
    names = {"names": [flow.name, *flow.previous_names], "customer_id": customer_id, "at": asked}
    found = [
        Decision(**{**row, "detail": json.loads(row["detail"] or "{}")})
        for row in _rows(published, _DECISIONS, names)
    ]
    is_now = asked == known_until
    standing = _rows(published, _STANDING, named) if is_now else []
    return Explanation(
        flow,
        customer_id,
        asked,
        [decision for decision in found if decision.decided_at <= asked],
        [decision for decision in found if decision.decided_at > asked],
        [Waiting(**row) for row in _rows(published, _WAITING, named)] if is_now else [],
        _near(published, flow, named, asked, found),
        next((Standing(**{**row, "detail": json.loads(row["detail"])}) for row in standing), None),
    )


def _flow(published: Published, name: str) -> Flow:
    found = _rows(published, _FLOW, {"flow": name})
    if not found:
        names = [
            row["flow_name"]
            for row in _rows(published, "select flow_name from marts.flow_catalogue order by 1", {})
        ]
        like_it = difflib.get_close_matches(name, names, 1) or names
        raise PerennialError(f"there is no flow {name}", f"call it by its name: {', '.join(like_it)}")
    [row] = found
    return Flow(
        row["flow_name"],
        (row["previous_names"] or "").split(","),
        row["display_name"],
        row["status"],
        row["active_since"],
        row["triggers"].split(","),
        row["is_about_products"],
    )


def _near(
    published: Published, flow: Flow, named: Mapping[str, str], at: datetime, decisions: Sequence[Decision]
) -> list[Near]:
    asked = {"triggers": list(flow.triggers), "since": at - _LOOKBACK, "at": at, "flow": flow.name}
    near: list[Near] = []
    if any(":" in trigger for trigger in flow.triggers):
        hers = {
            "customer_id": named["customer_id"],
            "decided_at": [decision.triggered_at for decision in decisions],
        }
        near += [Near(**row) for row in _rows(published, _CHANGES, {**asked, **hers})]
    if any(":" not in trigger for trigger in flow.triggers):
        records = _rows(published, _RECORDS, {"customer_id": named["customer_id"]})
        hers_by_record = {
            "records": [row["record_key"] for row in records],
            "decided": [decision.trigger_event_id for decision in decisions],
        }
        for query in (_EVENTS, _PRODUCT_NEWS) if flow.is_about_products else (_EVENTS,):
            near += [Near(**row) for row in _rows(published, query, {**asked, **hers_by_record})]
    return sorted(near, key=lambda one: (one.why == "another_event", at - one.occurred_at))


def _rows(published: Published, query: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
    cursor = published.connection.execute(query, dict(values))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
