"""Files of the dbt project's macros run by themselves, without dbt: their own text, on a connection that is given."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

_MACROS = Path(__file__).parents[2] / "dbt" / "macros"
Run = Callable[[str], Sequence[Sequence[Any]]]
_MACRO = re.compile(r"\{%-? macro (\w+)\(.*?endmacro -?%\}", re.DOTALL)


class _Returned(Exception):  # noqa: N818 - no error: how a macro hands back a value
    def __init__(self, value: object) -> None:
        self.value = value


@dataclass(frozen=True)
class _Column:
    rows: Sequence[Sequence[Any]]
    place: int

    def values(self) -> list[Any]:
        return [row[self.place] for row in self.rows]


@dataclass(frozen=True)
class _Table:
    rows: Sequence[Sequence[Any]]

    @property
    def columns(self) -> list[_Column]:
        return [_Column(self.rows, place) for place in range(len(self.rows[0]) if self.rows else 0)]


class MacroFile:
    """Files of ``dbt/macros``, by path or pattern; their macros are called by name, as in dbt."""

    def __init__(
        self, paths: str | Sequence[str], run: Run, engine: str = "duckdb", **context: object
    ) -> None:
        """``run`` executes a statement and returns its rows; ``engine`` chooses among dispatched variants.

        ``context`` is what else the macros find by name, in place of dbt's own.
        """
        environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)  # noqa: S701 - SQL
        environment.globals |= {
            "execute": True,
            "run_query": lambda statement: _Table(run(statement)),
            "local_md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
            "adapter": self,
            "return": self._hand_back,
            "modules": {"re": re, "datetime": dt},
            **context,
        }
        self._environment = environment
        self._engine = engine
        self._macros: dict[str, Callable[..., Any]] = {}
        # one template a macro, as dbt does it: `return` leaves the macro that calls it, not its caller
        patterns = [paths] if isinstance(paths, str) else paths
        texts = [
            file.read_text(encoding="utf-8") for pattern in patterns for file in sorted(_MACROS.glob(pattern))
        ]
        found = [macro for text in texts for macro in _MACRO.finditer(text)]
        if not found:
            raise FileNotFoundError(f"no macro in {', '.join(patterns)}")
        environment.globals |= {macro[1]: self._calling(macro[1]) for macro in found}
        for macro in found:
            self._macros[macro[1]] = getattr(environment.from_string(macro[0]).module, macro[1])

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._calling(name)

    def rendered(self, text: str) -> str:
        """Return a text with what its Jinja says, as a model's."""
        return self._environment.from_string(text).render()

    def dispatch(self, name: str, _package: str) -> Callable[..., Any]:
        """Return the engine's variant of a macro, else the default."""
        variant = f"{self._engine}__{name}"
        return self._calling(variant if variant in self._macros else f"default__{name}")

    def _calling(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - a macro takes and returns anything
            try:
                return self._macros[name](*arguments, **named)
            except _Returned as returned:
                return returned.value

        return call

    @staticmethod
    def _hand_back(value: object) -> None:
        raise _Returned(value)
