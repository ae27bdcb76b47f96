"""Whether a request is one that its vendor documents: Klaviyo's by its SDK and its OpenAPI file, AIQ's by its page.

The OpenAPI file judges too where ``PERENNIAL_KLAVIYO_OPENAPI`` says where it lies; the SDK always does.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import standardwebhooks
from openapi_client.models.data_privacy_create_deletion_job_query import DataPrivacyCreateDeletionJobQuery
from openapi_client.models.event_create_query_v2 import EventCreateQueryV2
from openapi_client.models.events_bulk_create_job import EventsBulkCreateJob
from openapi_client.models.profile_import_job_create_query import ProfileImportJobCreateQuery
from openapi_client.models.profile_upsert_query import ProfileUpsertQuery
from openapi_client.models.suppression_create_job_create_query import SuppressionCreateJobCreateQuery
from openapi_schema_validator import OAS30Validator
from pydantic import BaseModel, ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT4

from reverse_etl.destinations.aiq import INGEST
from reverse_etl.destinations.klaviyo import BULK, DELETIONS, EVENTS, IMPORT, SUPPRESSIONS
from reverse_etl.destinations.klaviyo_profiles import JOBS

OPENAPI = "PERENNIAL_KLAVIYO_OPENAPI"
_MODELS: Mapping[str, type[BaseModel]] = {
    EVENTS: EventCreateQueryV2,
    BULK: EventsBulkCreateJob,
    IMPORT: ProfileUpsertQuery,
    SUPPRESSIONS: SuppressionCreateJobCreateQuery,
    DELETIONS: DataPrivacyCreateDeletionJobQuery,
    JOBS: ProfileImportJobCreateQuery,
}
_MOST_BYTES = {EVENTS: 5_000_000, BULK: 5_000_000, IMPORT: 100_000}
_MOST_PROFILES_SUPPRESSED = 100
_AIQ_REQUIRED = {"integratorSlug": str, "eventName": str, "timestamp": int, "event": dict}
_AIQ_KNOWN = {*_AIQ_REQUIRED, "eventDisplayName", "phone", "email", "contactID", "srcID"}


def judge(path: str, raw: bytes) -> list[str]:
    """Return what the vendor's documents say against a request; nothing where it is in order."""
    body = json.loads(raw)
    if path == INGEST:
        return list(_against_aiq(body))
    if path in _MODELS:
        return [*_against_klaviyo(path, raw, body), *_against_sdk(path, body), *_against_openapi(path, body)]
    return []


def judges_of_klaviyo() -> tuple[str, ...]:
    """Name who judges Klaviyo's requests here."""
    return ("klaviyo-api 25.0.0", *(["OpenAPI"] if openapi() else []))


@cache
def openapi() -> Mapping[str, Any] | None:
    """Return Klaviyo's OpenAPI document where it is at hand; a path that leads nowhere is an error."""
    path = os.environ.get(OPENAPI)
    return json.loads(Path(path).read_text(encoding="utf-8")) if path else None


def signed_by(secret: str, headers: Mapping[str, str], raw: bytes) -> bool:
    """Tell whether the standard's own library makes one of the signatures, whenever that was."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=UTC)
    wanted = standardwebhooks.Webhook(secret).sign(headers["webhook-id"], at, raw.decode())
    return wanted in headers["webhook-signature"].split(" ")


def _against_sdk(path: str, body: Any) -> Iterator[str]:
    try:
        read = _MODELS[path].model_validate(body)
    except ValidationError as error:
        yield f"{path}: the SDK: {error.errors(include_input=False, include_url=False)}"
        return
    # What the model does not know it drops.
    if read.model_dump(mode="json", by_alias=True, exclude_unset=True) != body:
        yield f"{path}: the SDK knows a field by another name, or not at all"


def _against_openapi(path: str, body: Any) -> Iterator[str]:
    document = openapi()
    if document is None:
        return
    asked = document["paths"][path]["post"]["requestBody"]["content"]["application/vnd.api+json"]["schema"]
    registry: Registry[Any] = Registry().with_resource("urn:klaviyo", DRAFT4.create_resource(document))
    for error in OAS30Validator({"$ref": f"urn:klaviyo{asked['$ref']}"}, registry=registry).iter_errors(body):
        yield f"{path}: OpenAPI: {error.json_path}: {error.message}"


def _against_klaviyo(path: str, raw: bytes, body: Any) -> Iterator[str]:
    """Yield what the document says in words alone."""
    if len(raw) > _MOST_BYTES.get(path, len(raw)):
        yield f"{path}: {len(raw):,} bytes"
    if b"phone_number" in raw:
        yield f"{path}: a phone number"
    if b"subscriptions" in raw or b'"consent"' in raw:
        yield f"{path}: a call about consent"
    attributes = body["data"]["attributes"]
    if path == BULK:
        groups = attributes["events-bulk-create"]["data"]
        events = [event["attributes"] for group in groups for event in group["attributes"]["events"]["data"]]
        ids = [event["unique_id"] for event in events]
        if not 1 <= len(ids) <= 1_000 or len(set(ids)) != len(ids):
            yield f"{path}: {len(ids)} events, {len(set(ids))} ids"
    if path == EVENTS and not attributes.get("unique_id"):
        yield f"{path}: no unique_id, so that one a second is kept"
    if path == SUPPRESSIONS and len(attributes["profiles"]["data"]) > _MOST_PROFILES_SUPPRESSED:
        yield f"{path}: more than {_MOST_PROFILES_SUPPRESSED} profiles"


def _against_aiq(body: Mapping[str, Any]) -> Iterator[str]:
    for name, kind in _AIQ_REQUIRED.items():
        if type(body.get(name)) is not kind:
            yield f"AIQ: {name} is no {kind.__name__}"
    if not re.fullmatch(r"[a-z0-9_]+", str(body.get("eventName"))):
        yield "AIQ: eventName is no slug"
    if not {"phone", "email", "contactID", "srcID"} & set(body):
        yield "AIQ: no identifier"
    if unknown := set(body) - _AIQ_KNOWN:
        yield f"AIQ: {', '.join(sorted(unknown))}"
