"""What a stream's rows say, as columns that Great Expectations may see: one a rule, made of the texts at its paths.

A column holds a value only where the value is one of our own (a number's size, a listed word, "there"); what breaks the
rule becomes words such as "(not a time)". So no personal data can get into a result or into the Data Docs, whatever a
library shows of what it rejects. DuckDB reads the JSON, as in staging: two parsers would differ on what nobody expects.
"""

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from extractors.landing.tombstone import TOMBSTONE
from extractors.validation.rules import Rule, StreamRules

THERE = "there"
NOT_A_TIME = "(not a time)"
NOT_A_NUMBER = "(not a number)"
NOT_LISTED = "(not listed)"
OBJECT, NO_OBJECT = "an object", "(no object)"
FORMED, OTHERWISE = "of its form", "(of another form)"
_TIME = (
    "^[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
    "([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?"
    "( ?(Z|UTC|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?))?)?$"
)
_NUMBER = "^-?[0-9]{1,20}([.][0-9]{1,40})?([eE][+-]?[0-9]{1,2})?$"


class Facts:
    """Reads landed rows of one stream into such columns; ``rows`` is a table of the log's columns."""

    def __init__(self, rules: StreamRules) -> None:
        self._rules = rules
        judged = [path for rule in rules.rules for path in (*rule.paths, *rule.only_if)]
        self._said = [*dict.fromkeys(path for path in judged if _is_inside(path, in_headers=False))]
        self._told = [*dict.fromkeys(path for path in judged if _is_inside(path, in_headers=True))]
        self._query = self._select()

    def of(self, rows: pa.Table, engine: duckdb.DuckDBPyConnection) -> pa.Table:
        """Return seq, row_no and a column a rule, for the rows of this stream."""
        engine.register("landed_rows", rows)
        try:
            return engine.sql(self._query).to_arrow_table()
        finally:
            engine.unregister("landed_rows")

    def _select(self) -> str:
        source, _, stream = self._rules.stream.partition("/")
        columns = "".join(f', {self._column(rule)} as "{rule.name}"' for rule in self._rules.rules)
        return f"""
            with texts as (
                select seq, row_no, source_key, cast(received_at as timestamp) as received_at, payload,
                    {_texts("payload", self._said)} as said, {_texts("headers", self._told)} as told
                from landed_rows
                where source = '{source}' and stream = '{stream}' and payload <> '{TOMBSTONE}'
            )
            select seq, row_no{columns} from texts
        """  # noqa: S608 - made of rules, which are ours

    def _column(self, rule: Rule) -> str:
        """Return the column that one expectation judges; null where there is nothing to judge."""
        texts = [self._text(path) for path in rule.paths]
        column = _OF_KIND[_kind(rule)](rule, texts, self._rules)
        conditions = [
            f"lower({self._text(path)}) in ({_list(values)})" for path, values in rule.only_if.items()
        ]
        # what a rule does not speak of must pass also where null would not
        passing = f"'{THERE}'" if rule.kind == THERE else "null"
        return (
            f"case when {' and '.join(conditions)} then {column} else {passing} end" if conditions else column
        )

    def _text(self, path: str) -> str:
        if path == "payload":
            return "payload"
        if path in self._said:
            return f"nullif(trim(said[{self._said.index(path) + 1}]), '')"
        if path in self._told:
            return f"nullif(trim(told[{self._told.index(path) + 1}]), '')"
        return f"nullif(trim(cast({path.removeprefix('envelope.')} as varchar)), '')"


def _is_inside(path: str, *, in_headers: bool) -> bool:
    is_inside = path != "payload" and not path.startswith("envelope.")
    return is_inside and path.startswith("headers.") == in_headers


def _texts(column: str, paths: Sequence[str]) -> str:
    steps = [
        [path.removeprefix("headers.")] if path.startswith("headers.") else path.split(".") for path in paths
    ]
    listed = ", ".join("'$" + "".join(f'."{step}"' for step in path) + "'" for path in steps)
    return f"try(json_extract_string({column}, cast([{listed}] as varchar[])))"


def _kind(rule: Rule) -> str:
    if rule.kind is not None:
        return "payload" if rule.path == ("payload",) else rule.kind
    return next(
        kind for kind in ("between", "not_ahead", "one_of", "form") if getattr(rule, kind) is not None
    )


def _there(_rule: Rule, texts: Sequence[str], _rules: StreamRules) -> str:
    return f"case when {_any(texts)} is not null then '{THERE}' end"


def _time(_rule: Rule, texts: Sequence[str], _rules: StreamRules) -> str:
    return f"""case when {_any(texts)} is not null
        then coalesce(strftime({_time_said(texts)}, '%Y-%m-%dT%H:%M:%S'), '{NOT_A_TIME}') end"""


def _number(_rule: Rule, texts: Sequence[str], _rules: StreamRules) -> str:
    return f"""case when {_any(texts)} is not null
        then coalesce(cast({_number_said(texts)} as varchar), '{NOT_A_NUMBER}') end"""


def _object(_rule: Rule, texts: Sequence[str], _rules: StreamRules) -> str:
    starts = f"substr({texts[0]}, 1, 1)"
    return f"case when {starts} = '{{' then '{OBJECT}' when {starts} is not null then '{NO_OBJECT}' end"


def _payload(_rule: Rule, _texts: Sequence[str], _rules: StreamRules) -> str:
    return f"""case when said is not null and regexp_matches(payload, '^[[:space:]]*[{{]')
        then '{OBJECT}' else '{NO_OBJECT}' end"""


def _between(rule: Rule, texts: Sequence[str], _rules: StreamRules) -> str:
    """Return the number, or one just beyond the bound that it breaks: a phone number may stand where none belongs."""
    low, high = rule.between or (0, 0)
    number = _number_said(texts)
    return f"case when {number} is not null then least(greatest({number}, {low} - 1), {high} + 1) end"


def _not_ahead(rule: Rule, texts: Sequence[str], _rules: StreamRules) -> str:
    """Return by how many hours the time is later than the row's receipt, 0 where it is not later."""
    time = _time_said(texts)
    return f"""case
        when {time} > received_at + interval '{rule.not_ahead} hours' then {rule.not_ahead} + 1
        when {time} > received_at then {rule.not_ahead}
        when {time} is not null then 0 end"""


def _one_of(rule: Rule, texts: Sequence[str], rules: StreamRules) -> str:
    text = f"lower({texts[0]})"
    listed = f"{text} in ({_list(rules.allowed(rule))})"
    return f"case when {listed} then {text} when {text} is not null then '{NOT_LISTED}' end"


def _form(rule: Rule, texts: Sequence[str], rules: StreamRules) -> str:
    forms = [*rule.form.values()] if isinstance(rule.form, dict) else [rule.form or ""] * len(texts)
    matching = " or ".join(
        f"coalesce(regexp_matches({text}, {_quoted(rules.pattern(form))}), false)"
        for text, form in zip(texts, forms, strict=True)
    )
    return f"case when {matching} then '{FORMED}' when {_any(texts)} is not null then '{OTHERWISE}' end"


_OF_KIND = {
    "there": _there,
    "time": _time,
    "number": _number,
    "object": _object,
    "payload": _payload,
    "between": _between,
    "not_ahead": _not_ahead,
    "one_of": _one_of,
    "form": _form,
}


def _any(texts: Sequence[str]) -> str:
    return f"coalesce({', '.join(texts)}, null)"


def _time_said(texts: Sequence[str]) -> str:
    said = [
        f"""case when regexp_matches(upper({text}), '{_TIME}')
            then cast(try_cast(upper({text}) as timestamptz) as timestamp)
            when regexp_full_match({text}, '[0-9]{{9,11}}') then make_timestamp(cast({text} as bigint) * 1000000) end"""
        for text in texts
    ]
    return f"coalesce({', '.join(said)}, null)"


def _number_said(texts: Sequence[str]) -> str:
    said = [
        f"case when regexp_matches({text}, '{_NUMBER}') then cast({text} as double) end" for text in texts
    ]
    return f"coalesce({', '.join(said)}, null)"


def _list(values: Sequence[str]) -> str:
    return ", ".join(_quoted(value) for value in values)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
