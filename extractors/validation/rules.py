"""The rules that a stream's rows must keep, as they stand in the YAML beside its base model.

Staging makes the reason of the quarantine of them (the dbt macro ``judged``), ``stream_suite`` a suite of Great
Expectations: one list, two readers.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from perennial.errors import PerennialError
from perennial.streams import KEYED, KNOWN

_DBT = Path(__file__).parents[2] / "dbt"
_BASE = _DBT / "models" / "staging" / "base"
_UNJUDGED = Path(__file__).with_name("unjudged.yml")
_LANDED_CALL = re.compile(r"\blanded\(\s*'(?P<source>\w+)'\s*,\s*\[(?P<streams>[^\]]*)\]")
_KINDS = ("is", "between", "not_ahead", "one_of", "form")


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class Rule(BaseModel):
    """What must hold of the texts at some paths; the keys are those of the YAML (CONTRIBUTING.md)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    says: Annotated[str, Field(min_length=1)]
    path: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()
    kind: Annotated[Literal["there", "time", "number", "object"] | None, Field(alias="is")] = None
    between: tuple[float, float] | None = None
    not_ahead: int | None = None
    one_of: str | tuple[str, ...] | None = None
    form: str | dict[str, str] | None = None
    only_if: dict[str, tuple[str, ...]] = {}
    stream: str | None = None
    severity: Literal["warn"] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Rule":
        told = (self.kind, self.between, self.not_ahead, self.one_of, self.form)
        if sum(one is not None for one in told) != 1:
            raise ValueError(f"has one of {', '.join(_KINDS)}")
        if bool(self.path) == isinstance(self.form, dict):
            raise ValueError("path: say which one is judged, unless form gives each path its own")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that it judges."""
        return tuple(self.form) if isinstance(self.form, dict) else self.path

    @property
    def quarantines(self) -> bool:
        """Whether a row that breaks it is refused; otherwise somebody only needs to know."""
        return self.severity is None


@dataclass(frozen=True, slots=True)
class StreamRules:
    """The rules of one stream, in the order in which they are asked; ``forms`` has the named forms."""

    stream: str
    rules: tuple[Rule, ...]
    forms: Mapping[str, str]

    def allowed(self, rule: Rule) -> Sequence[str]:
        """Return the values that a rule of ``one_of`` allows, in lower case."""
        if isinstance(rule.one_of, tuple):
            return sorted(value.lower() for value in rule.one_of)
        seed, _, column = (rule.one_of or "").partition(".")
        with (_DBT / "seeds" / f"{seed}.csv").open(encoding="utf-8", newline="") as file:
            return sorted({row[column].lower() for row in csv.DictReader(file)})

    def pattern(self, form: str) -> str:
        """Return the regular expression of a form: of that name, else it is one itself."""
        return self.forms.get(form, form)


def rules_by_stream() -> dict[str, StreamRules]:
    """Return the rules of every stream that lands; ``PerennialError`` names file and key of a typo."""
    shared = _yaml(_DBT / "dbt_project.yml")["models"]["perennial"]["staging"]["base"]["+meta"]
    of_every_stream = read_rules("dbt/dbt_project.yml", shared["rules_of_every_stream"])
    written = {**dict(_beside_base_models()), **dict(_unjudged())}
    return {
        stream: StreamRules(
            stream,
            tuple(
                rule
                for rule in (*of_every_stream, *written.get(stream, ()))
                # what has no source keys by its nature can't miss them
                if rule.path != ("envelope.source_key",) or stream in KEYED
            ),
            shared["forms"],
        )
        for stream in sorted(KNOWN | written.keys())
    }


def streams_read(sql: str) -> list[str]:
    """Return the streams that a model reads with ``landed('source', ['stream', …])``, as ``source/stream``.

    Landed files are no relations, so the models name streams and not dbt sources.
    """
    return [
        f"{call['source']}/{stream}"
        for call in _LANDED_CALL.finditer(sql)
        for stream in re.findall(r"'(\w+)'", call["streams"])
    ]


def read_rules(file: str, written: Sequence[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Read rules as a file writes them; ``PerennialError`` names file and key of a typo."""
    rules = []
    for number, one in enumerate(written, start=1):
        try:
            rules.append(Rule.model_validate(one))
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]
            key = ".".join(str(part) for part in problem["loc"])
            raise PerennialError(
                f"{file}: rule {one.get('name', number)}: {key and f'{key}: '}{problem['msg']}",
                "CONTRIBUTING.md describes the keys of a rule",
            ) from None
    return tuple(rules)


def _beside_base_models() -> Iterator[tuple[str, tuple[Rule, ...]]]:
    for path in sorted(_BASE.glob("*.yml")):
        for model in _yaml(path)["models"]:
            written = model.get("config", {}).get("meta", {}).get("rules")
            if written is None:
                continue
            rules = read_rules(f"dbt/models/staging/base/{path.name}", written)
            for stream in streams_read(path.with_suffix(".sql").read_text(encoding="utf-8")):
                name = stream.partition("/")[2]
                yield stream, tuple(rule for rule in rules if rule.stream in {None, name})


def _unjudged() -> Iterator[tuple[str, tuple[Rule, ...]]]:
    """Yield the rules of own streams that no base model reads: they are restored, not loaded."""
    for stream, written in _yaml(_UNJUDGED).items():
        yield stream, read_rules(f"extractors/validation/{_UNJUDGED.name}", written)


def _yaml(path: Path) -> Any:  # noqa: ANN401 - whatever the file says
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, yaml.CSafeLoader)
