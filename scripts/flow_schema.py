"""Write the JSON Schema of the flows' YAML anew, for editors that complete keys and tell typos while one types."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from extractors.receiver.taxonomy import event_types  # noqa: E402 - found by the line above
from warehouse.flow_settings import FlowSettings  # noqa: E402

SCHEMA = ROOT / "dbt" / "flow.schema.json"


def schema() -> dict[str, Any]:
    """Return the schema of a YAML file beside a flow: it tells ``config.meta.flow`` alone, the rest is dbt's."""
    flow = FlowSettings.model_json_schema()
    audience = {"type": "string", "pattern": "^audience_(entered|exited):[a-z0-9_]+$"}
    name = {"$ref": "#/$defs/trigger"}
    flow["properties"]["trigger"] |= {"anyOf": [name, {"type": "array", "items": name, "minItems": 1}]}
    model = _nested({"$ref": "#/$defs/flow"}, "config", "meta", "flow")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A flow of Perennial",
        "type": "object",
        "properties": {"models": {"type": "array", "items": model}},
        "$defs": {"flow": flow, "trigger": {"anyOf": [{"enum": sorted(event_types())}, audience]}},
    }


def written() -> str:
    """Return the schema as the file holds it."""
    return json.dumps(schema(), indent=2) + "\n"


def _nested(inner: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in reversed(keys):
        inner = {"type": "object", "properties": {key: inner}}
    return inner


if __name__ == "__main__":
    SCHEMA.write_text(written(), encoding="utf-8")
