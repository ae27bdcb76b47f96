"""Partner events, all the way: posted to a real receiver, landed, built, found in the stream of events."""

import csv
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import dbt_perennial
from dagster_project.lib.custom_events import custom_events
from extractors.receiver.event_models import event_models
from extractors.receiver.openapi import event_schemas
from extractors.receiver.taxonomy import event_types
from perennial.errors import PerennialError
from perennial.home import Home
from tests.extractors.receiver.serving import make_settings, serving
from tests.scene import Scene
from warehouse import flow_settings, project
from warehouse.builder import Builder

AT = datetime(2026, 3, 15, 18, tzinfo=UTC)
LATER = datetime(2026, 3, 15, 18, 30, tzinfo=UTC)
SCHEMAS = event_schemas(event_models())
# What an analyst writes to use a custom event: a row of the taxonomy, and a flow.
ROW = "door_opened,visit,,event,,true,partners,,always,The door of the shop was opened.\n"
FLOW = """
with triggers as (

    {{ flow_triggers('door_opened') }}

)

{{ flow_candidates('triggers', trigger_key='trigger_event_id') }}
"""
FLOW_PROPERTIES = """
models:
  - name: door_greeting
    description: One row per opened door that this moment looks at.
    config:
      meta:
        flow:
          status: active
          display_name: Come in
          gives: Greets.
          trigger: door_opened
          window: 2 hours
          kind: marketing
          channels: [email]
          destination: aiq
          owner: lifecycle@example.com
"""


def smallest(schema: dict[str, Any]) -> Any:
    """Return the least that a schema allows."""
    if "$ref" in schema:
        return smallest(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "const" in schema or "enum" in schema:
        return schema.get("const") or schema["enum"][0]
    if "anyOf" in schema:
        return smallest(schema["anyOf"][0])
    if schema["type"] == "object":
        return {name: smallest(schema["properties"][name]) for name in schema.get("required", [])}
    if schema["type"] == "string":
        return {"date": "2026-04-01", "date-time": AT.isoformat()}.get(schema.get("format", ""), "x")
    return 1


def post(scene: Scene, events: list[dict[str, Any]], at: datetime = AT) -> None:
    """Send events as a partner does."""
    settings = make_settings(scene.home)
    scene.clock.set(at, running=False)
    with serving(settings) as receiver:
        answer = receiver.client.post("/v1/events", json=events, headers={"X-API-Key": "key-of-acme"})
    assert answer.json() == {"accepted": len(events), "rejected": []}


@pytest.fixture
def scene(deployed: Path, tmp_path: Path) -> Scene:
    """Return a home in which nothing has happened."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.set_flows()
    return scene


def test_one_of_each_event_arrives_with_its_object(scene: Scene) -> None:
    """The least that the published schema asks for is enough; a device that is named later names them all."""
    sent = []
    for name, model in event_models().known.items():
        event = smallest(SCHEMAS[model.__name__])
        of_object = {"order": {"order_id": f"o-{name}"}, "cart": {"cart_id": f"c-{name}"}}
        told = of_object.get(objects()[name], {}) | event.get("properties", {})
        sent.append({**event, "event_id": f"e-{name}", "customer": {"device_id": "d1"}, "properties": told})
    assert {event["event_name"] for event in sent} == {
        name for name, event in event_types().items() if event.ingestible
    }
    post(scene, sent)
    scene.build(AT)
    found = {
        row["event_name"]: row for row in scene.rows("select * from marts.fct_events where source = 'acme'")
    }
    for event in sent:
        name, told = event["event_name"], event["properties"]
        row = found.pop(name)
        about = objects()[name] or None
        assert (row["object_type"], row["object_id"]) == (about, told[f"{about}_id"] if about else None), name
        assert json.loads(row["properties"]) == told
        assert row["occurred_at"] == AT.replace(tzinfo=None)
    assert found == {}
    assert scene.rows("select * from marts.custom_events") == []
    named = {**sent[0], "event_id": "named", "event_name": "customer_updated", "properties": {}}
    post(scene, [{**named, "customer": {"device_id": "d1", "email": "dana@example.com"}}], LATER)
    scene.build(LATER)
    [people] = scene.rows(
        "select count(distinct customer_id) as people, count(*) as events, count(customer_id) as named"
        " from marts.fct_events where source = 'acme'"
    )
    assert people == {"people": 1, "events": len(sent) + 1, "named": len(sent) + 1}


def objects() -> dict[str, str]:
    """Return what each event is about, as the seed says."""
    with (project.PROJECT / "seeds" / "event_types.csv").open(encoding="utf-8") as file:
        return {row["event_name"]: row["object"] for row in csv.DictReader(file)}


@pytest.mark.slow
def test_a_custom_event_is_listed_until_it_has_a_row(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is kept from the first one on; with a row in the taxonomy it leaves the list and triggers a flow."""
    scene.know("dana")
    opened = {
        "event_id": "1", "event_name": "door_opened", "occurred_at": AT.isoformat(),
        "customer": {"email": scene.email("dana")}, "properties": {"door": 3},
    }  # fmt: skip
    post(scene, [opened])
    with Builder(scene.settings) as builder:
        assert builder.build(lane="scheduled").ok
    [listed] = custom_events(Home(scene.home))
    assert (listed.event_name, listed.partner, listed.events) == ("door_opened", "acme", 1)

    copy = tmp_path / "dbt"
    shutil.copytree(project.PROJECT, copy, ignore=shutil.ignore_patterns("target", "logs"))
    for module in (project, flow_settings):
        monkeypatch.setattr(module, "PROJECT", copy)
    monkeypatch.setattr(dbt_perennial, "MODELS", copy / "models")
    (copy / "models" / "flows" / "door_greeting.sql").write_text(FLOW, encoding="utf-8")
    (copy / "models" / "flows" / "door_greeting.yml").write_text(FLOW_PROPERTIES, encoding="utf-8")
    scene.flows = {"door_greeting": {}}
    scene.set_flows()
    with pytest.raises(PerennialError, match="door_opened is no event of the taxonomy"):
        scene.build(LATER)
    with (copy / "seeds" / "event_types.csv").open("a", encoding="utf-8") as file:
        file.write(ROW)
    scene.build(LATER)
    assert scene.rows("select * from marts.custom_events") == []
    post(scene, [{**opened, "event_id": "2", "occurred_at": LATER.isoformat()}], LATER)
    scene.build(LATER)
    decided = scene.rows("select outcome from marts.flow_decisions where flow_name = 'door_greeting'")
    assert decided == [{"outcome": "enrolled"}]
