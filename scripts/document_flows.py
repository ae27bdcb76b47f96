"""Write anew what is made of the flows' settings: the table of docs/flows.md, and the JSON Schema for editors."""

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from extractors.receiver.taxonomy import event_types  # noqa: E402 - found by the line above
from warehouse.flow_settings import FlowSettings, read_flow_settings  # noqa: E402

PAGE = ROOT / "docs" / "flows.md"
SCHEMA = ROOT / "dbt" / "flow.schema.json"
_TABLE = re.compile(r"(?<=<!-- flows -->\n).*?(?=<!-- /flows -->)", re.DOTALL)


def table() -> str:
    """Return every flow: those about an order or a payment first, then by rank."""
    flows = sorted(
        read_flow_settings().items(), key=lambda item: (item[1].kind == "marketing", item[1].rank, item[0])
    )
    lines = [
        "| flow | a marketer gets | triggered by | kind | rank |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{name}` | {flow.gives} | {', '.join(f'`{trigger}`' for trigger in flow.trigger)} "
        f"| {flow.kind} | {flow.rank} |"
        for name, flow in flows
    ]
    return "\n".join(lines) + "\n"


def with_table(page: Path) -> str:
    """Return the page with its table in the place that its comments mark."""
    return _TABLE.sub(lambda _: table(), page.read_text(encoding="utf-8"))


def schema() -> str:
    """Return the schema of a YAML file beside a flow: it tells ``config.meta.flow`` alone, the rest is dbt's."""
    flow = FlowSettings.model_json_schema()
    audience = {"type": "string", "pattern": "^audience_(entered|exited):[a-z0-9_]+$"}
    name = {"$ref": "#/$defs/trigger"}
    flow["properties"]["trigger"] |= {"anyOf": [name, {"type": "array", "items": name, "minItems": 1}]}
    model = _nested({"$ref": "#/$defs/flow"}, "config", "meta", "flow")
    told = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A flow of Perennial",
        "type": "object",
        "properties": {"models": {"type": "array", "items": model}},
        "$defs": {"flow": flow, "trigger": {"anyOf": [{"enum": sorted(event_types())}, audience]}},
    }
    return json.dumps(told, indent=2) + "\n"


def _nested(inner: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in reversed(keys):
        inner = {"type": "object", "properties": {key: inner}}
    return inner


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
