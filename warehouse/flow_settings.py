"""The settings of a flow, as they stand in the YAML beside its SQL under ``config.meta.flow``.

A typo is an error that names file and key. ``dbt/flow.schema.json`` is made of the same class, for editors.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from extractors.receiver.taxonomy import EventType, event_types
from perennial.errors import PerennialError
from perennial.settings import Settings
from warehouse.project import PROJECT
from warehouse.senders import missing_senders

_DURATION = re.compile(r"(\d+) (second|minute|hour|day)s?")
_MEMBERSHIPS = ("audience_entered", "audience_exited")  # a flow names the audience behind a colon
_INTERNAL_WORDS = re.compile(
    r"\b(test|tmp|temp|debug|internal|draft|todo|wip|dry.?run|churn|risk|lapsed|segment|audience)\b",
    re.IGNORECASE,
)
# The sender's name may hold what the customer knows, each with what to write where it is not known.
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = ("store", "company", "budtender")
_EXITS = ("bought", "completed")  # which every flow may name; others are filters of its own
_TRANSACTIONAL_WINDOW = timedelta(hours=2)
# Models look for what happened to a trigger since, and for what somebody was enrolled in before, so far back.
_LONGEST_WINDOW = timedelta(days=35)
_LONGEST = timedelta(days=365)


def _duration(value: object) -> object:
    """Read ``30 minutes``; a bare number would be seconds, and YAML makes one of ``1:30``."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is not a duration; write it like 30 minutes, 2 hours or 3 days")
    unit = timedelta(**{f"{match[2]}s": 1})
    if int(match[1]) > _LONGEST / unit:
        raise ValueError(f"is longer than {_LONGEST.days} days")
    return int(match[1]) * unit


def _reentry(value: object) -> object:
    """Read ``always``, ``never`` or ``7 days`` as days; None is always, -1 never."""
    if value == "always":
        return None
    if value == "never":
        return -1
    match = re.fullmatch(r"(\d+) days?", str(value))
    if match is None:
        raise ValueError("is neither always, never nor a number of days; write it like 7 days")
    if not 1 <= int(match[1]) <= _LONGEST.days:
        raise ValueError(
            f"is no number of days from 1 to {_LONGEST.days}; write always, never, or fewer days"
        )
    return int(match[1])


def _one_or_more(value: object) -> object:
    """Read one name as a list of one."""
    return (value,) if isinstance(value, str) else value


def _sender(value: object) -> object:
    """Refuse a placeholder that is none, or that says nothing where the store or the budtender is not known."""
    for told in _PLACEHOLDER.findall(str(value)):
        name, bar, fallback = told.partition("|")
        if name not in _PLACEHOLDERS:
            raise ValueError(f"{{{told}}} is not known; use {{store|…}}, {{company|…}} or {{budtender|…}}")
        if not bar or not fallback.strip():
            raise ValueError(
                f"{{{name}}} needs what to write where it is not known, such as {{{name}|our team}}"
            )
    if set(_PLACEHOLDER.sub("", str(value))) & set("{}"):
        raise ValueError("has a brace without its other one")
    return value


_FILE_NAME = re.compile("[a-z][a-z0-9_]*")
_Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$"})
Duration = Annotated[timedelta, BeforeValidator(_duration), _DURATION_SCHEMA]
Said = Annotated[str, Field(min_length=1)]
Triggers = Annotated[
    tuple[str, ...],
    BeforeValidator(_one_or_more),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Reentry = Annotated[
    int | None,
    BeforeValidator(_reentry),
    WithJsonSchema({"type": "string", "pattern": "^(always|never|\\d+ days?)$"}),
]
Status = Literal["draft", "dry_run", "active", "paused", "archived"]


class FlowSettings(BaseModel):
    """What a flow may say about itself; the names are those of the YAML."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status = Field(
        default="draft", description="Nothing that happened before a flow became active enrolls."
    )
    display_name: Said = Field(description="What customers may see in links: its slug is utm_campaign.")
    gives: Said = Field(description="One line: what a marketer gets.")
    trigger: Triggers = Field(
        description="An event of the taxonomy or more, or audience_entered: and the audience."
    )
    window: Duration = Field(
        default=_TRANSACTIONAL_WINDOW,
        gt=timedelta(0),
        le=_LONGEST_WINDOW,
        json_schema_extra={"default": "2 hours"},
        description="How old an occurrence may be; a transactional flow may leave it at 2 hours.",
    )
    kind: Literal["marketing", "transactional"] = Field(
        description="Transactional is order and payment status: no consent to marketing, no offer."
    )
    channels: tuple[Literal["sms", "email"], ...] = Field(min_length=1)
    destination: Literal["aiq", "klaviyo", "webhook", "csv"] = Field(description="Klaviyo takes e-mail only.")
    from_name: Annotated[Said, BeforeValidator(_sender)] = Field(
        default="{store|our store}",
        description="The sender's name; may use {store|…}, {company|…} and {budtender|…}.",
    )
    from_address: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="The sender's e-mail; its domain has a row in sending_domains.",
    )
    reentry: Reentry = Field(
        default=None,
        json_schema_extra={"default": "always"},
        description="always, never, or after so many days.",
    )
    concurrent: bool = Field(default=True, description="Whether a person may be in the flow twice at a time.")
    max_duration: Duration | None = Field(
        default=None, description="When a person counts as through; needed where concurrent is off."
    )
    exits: tuple[_Name, ...] = Field(
        default=(),
        description="What ends an enrollment early: bought, completed, or a filter that holds no more.",
    )
    recheck: tuple[_Name, ...] = Field(
        default=(), description="Filters that are asked again just before the call."
    )
    programme: Literal["any", "rec", "med"] = Field(default="any", description="Whom it is for.")
    holdout_percent: int = Field(default=0, ge=0, le=50, description="Share of people who get no message.")
    rank: int = Field(default=100, ge=1, le=1_000_000, strict=True, description="1 is the most important.")
    offer: Said | None = Field(default=None, description="What is offered, such as 10 % off; marketing only.")
    grace: Duration = Field(
        default=timedelta(hours=1),
        json_schema_extra={"default": "1 hour"},
        description="How long after quiet hours a message may still go out.",
    )
    conversion_window: Duration = Field(
        default=timedelta(days=7),
        json_schema_extra={"default": "7 days"},
        description="For how long after its message an order counts as brought by the flow.",
    )
    email_unless_opted_out: bool = Field(
        default=False, description="E-mail needs no opt-in, only no opt-out."
    )
    previous_names: tuple[_Name, ...] = Field(
        default=(), description="What the flow was called: who was enrolled then is not enrolled anew."
    )
    owner: Said = Field(description="Whom to ask.")

    @property
    def utm_campaign(self) -> str:
        """The slug of the display name."""
        return re.sub(r"[^a-z0-9]+", "-", self.display_name.lower()).strip("-")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "FlowSettings":
        if self.kind == "marketing" and "window" not in self.model_fields_set:
            raise ValueError("window: is required for marketing, such as 30 minutes")
        if not self.concurrent and self.max_duration is None:
            raise ValueError("max_duration: is required when concurrent is off, such as 3 days")
        if _INTERNAL_WORDS.search(self.display_name):
            raise ValueError("display_name: customers see it in links; leave out internal words")
        if not self.utm_campaign:
            raise ValueError("display_name: has no letter or digit that a link could show")
        if self.kind == "transactional" and self.offer is not None:
            raise ValueError("offer: a transactional flow may carry none; make it marketing, or leave it out")
        return self


def read_flow_settings(overrides: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, FlowSettings]:
    """Validate the settings of every flow; ``overrides`` (by flow, or ``*``) lie over what the YAML says."""
    over = overrides or {}
    settings: dict[str, FlowSettings] = {}
    taken: dict[str, str] = {}
    names = _Names()
    for path in sorted((PROJECT / "models" / "flows").rglob("*.sql"), key=lambda path: path.stem):
        name = path.stem
        file = f"dbt/{path.with_suffix('.yml').relative_to(PROJECT)}"
        if _FILE_NAME.fullmatch(name) is None:
            raise PerennialError(
                f"dbt/{path.relative_to(PROJECT)}: {name} can't be the name of a flow",
                "use small letters, digits and _, such as weekend_offer",
            )
        written = _written(path.with_suffix(".yml"), file, name)
        if written is None:
            raise PerennialError(
                f"{file}: config.meta.flow is missing", "copy it from another flow and change it"
            )
        try:
            flow = FlowSettings.model_validate({**written, **over.get("*", {}), **over.get(name, {})})
        except ValidationError as error:
            raise PerennialError(
                f"{file}: {_problem(error)}", "the keys are described in docs/flows.md"
            ) from None
        for key, cause, fix in names.unknown(flow, path.read_text(encoding="utf-8")):
            raise PerennialError(f"{file}: config.meta.flow.{key}: {cause}", fix)
        for previous in flow.previous_names:
            if taken.setdefault(previous, name) != name:
                raise PerennialError(
                    f"{file}: config.meta.flow.previous_names: {taken[previous]} was called {previous}, too",
                    "let one of the two take over the past of the flow that is gone",
                )
        for other, its in settings.items():
            if its.utm_campaign == flow.utm_campaign:
                raise PerennialError(
                    f"{file}: config.meta.flow.display_name: {other} is called {its.display_name}, too",
                    "choose another: links tell the two flows apart by it",
                )
        settings[name] = flow
    return settings


def told_overrides(home: Path) -> dict[str, dict[str, Any]]:
    """Return what a home says of flows beside their YAML: ``flows.json``, by flow or ``*``."""
    path = home / "flows.json"
    told: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return told


class _Strict(yaml.CSafeLoader):
    """YAML in which a key stands once: of two the last would count, and nobody would know.

    A build reads all flows before its first model, and libyaml takes a tenth of the time.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as PyYAML has it
        known: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in known:
                    raise yaml.MarkedYAMLError(
                        problem=f"{key.value} stands twice", problem_mark=key.start_mark
                    )
                known.add(key.value)
        return super().construct_mapping(node, deep)


def _written(path: Path, file: str, name: str) -> dict[str, Any] | None:
    """Return what the YAML of a flow says under ``config.meta.flow``, its keys as texts."""
    if not path.exists():
        return None
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), _Strict)  # noqa: S506 - of the safe kind
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PerennialError(f"{file}{line}: {error.problem}", "correct the YAML there") from None
    models = document.get("models") if isinstance(document, dict) else None
    for model in models if isinstance(models, list) else []:
        if isinstance(model, dict) and model.get("name") == name:
            told: Any = model
            for key in ("config", "meta", "flow"):
                told = told.get(key) if isinstance(told, dict) else None
            return {str(key): value for key, value in told.items()} if isinstance(told, dict) else None
    return None


def without_sender(flows: Mapping[str, FlowSettings], settings: Settings) -> list[str]:
    """Name the flows that look at occurrences none of the connected integrations sends, with those that could."""
    types = event_types(PROJECT / "seeds")
    advice = []
    for name, flow in flows.items():
        senders = lacking_senders(flow, types, settings)
        if senders and flow.status in {"active", "dry_run"}:
            events = " or ".join(trigger for trigger in flow.trigger if trigger in types)
            advice.append(
                f"flow {name} waits for {events}, which nobody connected sends: "
                f"connect {' or '.join(sorted(senders))} (perennial check), or pause the flow"
            )
    return advice


def lacking_senders(flow: FlowSettings, types: Mapping[str, EventType], settings: Settings) -> set[str]:
    """Return who could send what a flow waits for, where nobody connected does; nobody for what comes by itself."""
    return missing_senders((trigger for trigger in flow.trigger if trigger in types), types, settings)


class _Names:
    """The names that settings may use, which stand elsewhere in the project."""

    def __init__(self) -> None:
        self._events = set(event_types(PROJECT / "seeds"))
        self._audiences = {path.stem for path in (PROJECT / "models" / "audiences").rglob("*.sql")}
        self._flows = {path.stem for path in (PROJECT / "models" / "flows").rglob("*.sql")}
        self._domains = sending_domains(PROJECT / "seeds")
        self._ways = channel_rules(PROJECT)

    def unknown(self, flow: FlowSettings, sql: str) -> Iterable[tuple[str, str, str]]:
        """Yield key, cause and fix of each name that is none."""
        for trigger in flow.trigger:
            kind, colon, audience = trigger.partition(":")
            if kind in _MEMBERSHIPS and audience not in self._audiences:
                yield (
                    "trigger",
                    f"{audience or trigger} is no audience",
                    "write audience_entered: and the name of a model in dbt/models/audiences",
                )
            elif kind not in _MEMBERSHIPS and (colon or kind not in self._events):
                yield (
                    "trigger",
                    f"{trigger} is no event of the taxonomy",
                    "correct it, or give the event a row in dbt/seeds/event_types.csv",
                )
        if flow.from_address is not None and flow.from_address.partition("@")[2].lower() not in self._domains:
            yield (
                "from_address",
                f"{flow.from_address} is at no domain that may send",
                "correct it, or have the domain validated and give it a row in dbt/seeds/sending_domains.csv",
            )
        yield from self._forbidden(flow)
        for key, named in {"exits": flow.exits, "recheck": flow.recheck}.items():
            for name in named:
                is_everybodys = key == "exits" and name in _EXITS
                if not is_everybodys and not re.search(rf"['\"]{name}['\"]\s*:", sql):
                    yield (
                        key,
                        f"{name} is no filter of the flow",
                        "name one of the filters in its SQL"
                        + (", bought or completed" if key == "exits" else ""),
                    )
        for previous in flow.previous_names:
            if previous in self._flows:
                yield (
                    "previous_names",
                    f"{previous} is a flow that there is",
                    "a flow can take over the past of one that is gone only",
                )

    def _forbidden(self, flow: FlowSettings) -> Iterable[tuple[str, str, str]]:
        """Yield the channels that the destination may not use for what the company sells."""
        for channel in flow.channels:
            rule = self._ways.get((flow.destination, channel))
            if rule is None or not rule.is_allowed:
                why = rule.reason if rule else "dbt/seeds/channel_rules.csv has no row for it"
                others = sorted(
                    {name for (name, by), one in self._ways.items() if by == channel and one.is_allowed}
                )
                yield (
                    "channels",
                    f"{flow.destination} may not send {channel}: {why}",
                    f"leave {channel} out, or use a destination that may: {', '.join(others) or 'there is none'}",
                )


@dataclass(frozen=True)
class ChannelRule:
    """Whether messages may go by a channel of a destination, and why."""

    is_allowed: bool
    reason: str


def channel_rules(project: Path) -> dict[tuple[str, str], ChannelRule]:
    """Return the rules for what the company sells, by destination and channel."""
    settings = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))
    with (project / "seeds" / "channel_rules.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["destination"], row["channel"]): ChannelRule(row["is_allowed"] == "true", row["reason"])
            for row in csv.DictReader(file)
            if row["vertical"] == settings["vars"]["vertical"]
        }


def sending_domains(seeds: Path) -> set[str]:
    """Return the domains that messages may be sent from."""
    with (seeds / "sending_domains.csv").open(encoding="utf-8", newline="") as file:
        return {row["domain"].strip().lower() for row in csv.DictReader(file)}


def _problem(error: ValidationError) -> str:
    """Say in words of the YAML what is wrong first: the key and the cause."""
    problem = error.errors(include_input=False, include_url=False)[0]
    cause = problem["msg"].removeprefix("Value error, ")
    key = ".".join(str(part) for part in problem["loc"])
    if not key:  # what several keys say together names the one to change
        key, _, cause = cause.partition(": ")
    return f"config.meta.flow.{key}: {cause}"
