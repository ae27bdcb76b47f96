"""The settings of a flow, as they stand in the YAML beside its SQL under ``config.meta.flow``.

A typo is an error that names file and key.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from dbt.contracts.graph.manifest import Manifest
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from extractors.receiver.taxonomy import event_types
from perennial.errors import PerennialError
from warehouse.project import PROJECT, flow_nodes

_DURATION = re.compile(r"(\d+) (second|minute|hour|day)s?")
_MEMBERSHIPS = ("audience_entered", "audience_exited")  # a flow names the audience behind a colon
_INTERNAL_WORDS = re.compile(r"\b(test|tmp|temp|debug|internal|draft|churn|risk|segment)\b", re.IGNORECASE)


def _duration(value: object) -> object:
    """Read ``30 minutes``."""
    if not isinstance(value, str):
        return value
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        raise ValueError("is not a duration; write it like 30 minutes, 2 hours or 3 days")
    return timedelta(**{f"{match[2]}s": int(match[1])})


def _reentry(value: object) -> object:
    """Read ``always``, ``never`` or ``7 days`` as days; None is always, -1 never."""
    if value == "always":
        return None
    if value == "never":
        return -1
    match = re.fullmatch(r"(\d+) days?", str(value))
    if match is None:
        raise ValueError("is neither always, never nor a number of days; write it like 7 days")
    return int(match[1])


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Status = Literal["draft", "dry_run", "active", "paused", "archived"]


class FlowSettings(BaseModel):
    """What a flow may say about itself; the names are those of the YAML."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status = "draft"
    display_name: str
    gives: str
    trigger: str
    window: Duration
    kind: Literal["marketing", "transactional"]
    channels: tuple[Literal["sms", "email"], ...] = Field(min_length=1)
    destination: Literal["aiq", "klaviyo"]
    reentry: Annotated[int | None, BeforeValidator(_reentry)] = None
    concurrent: bool = True
    max_duration: Duration | None = None
    holdout_percent: int = Field(default=0, ge=0, le=50)
    rank: int = Field(default=100, ge=1)
    grace: Duration = timedelta(hours=1)
    email_unless_opted_out: bool = False
    from_name: str = "{store}"
    owner: str

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "FlowSettings":
        if not self.concurrent and self.max_duration is None:
            raise ValueError("max_duration: is required when concurrent is off, such as 3 days")
        if _INTERNAL_WORDS.search(self.display_name):
            raise ValueError("display_name: customers see it in links; leave out internal words")
        if "sms" in self.channels and self.destination == "klaviyo":
            raise ValueError("channels: klaviyo forbids SMS about cannabis; use aiq, or email alone")
        return self


def read_flow_settings(
    manifest: Manifest, overrides: Mapping[str, Mapping[str, Any]]
) -> dict[str, FlowSettings]:
    """Validate the settings of every flow; ``overrides`` (by flow, or ``*``) lie over what the YAML says."""
    settings = {}
    triggers = {*event_types(PROJECT / "seeds"), *_MEMBERSHIPS}
    for name, node in sorted(flow_nodes(manifest).items()):
        file = (
            f"dbt/{node.patch_path.partition('://')[2]}"
            if node.patch_path
            else f"dbt/models/flows/{name}.yml"
        )
        written = node.config.meta.get("flow")
        if written is None:
            raise PerennialError(
                f"{file}: config.meta.flow is missing", "copy it from another flow and change it"
            )
        try:
            settings[name] = FlowSettings(**{**written, **overrides.get("*", {}), **overrides.get(name, {})})
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]
            key = ".".join(str(part) for part in problem["loc"]) or "flow"
            raise PerennialError(
                f"{file}: config.meta.flow.{key}: {problem['msg']}",
                "the keys are described in docs/flows.md",
            ) from None
        if settings[name].trigger.partition(":")[0] not in triggers:
            raise PerennialError(
                f"{file}: config.meta.flow.trigger: {settings[name].trigger} is no event of the taxonomy",
                "correct it, or give the event a row in dbt/seeds/event_types.csv",
            )
    return settings
