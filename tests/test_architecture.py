"""The rules of the layout that no linter knows."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from dbt.jsonschemas.jsonschemas import CustomDraft7Validator, resources_schema

ROOT = Path(__file__).parents[1]
ROOMS = ("extractors", "reverse_etl", "warehouse", "erasure", "sandbox", "perennial")
ORCHESTRATION = {"dagster", "dagster_dbt", "dagster_project", "console"}
# Who may import whom, beside `perennial` (shared by all) and itself. What is not listed is not allowed.
MAY_IMPORT = {
    "perennial": set[str](),
    "extractors": set[str](),
    "reverse_etl": {"extractors"},
    "warehouse": {"extractors"},
    "erasure": {"extractors", "reverse_etl", "warehouse"},
    "sandbox": set[str](),
    "dagster_project": {"extractors", "reverse_etl", "warehouse"},
    "console": {"dagster_project", "erasure", "extractors", "reverse_etl", "sandbox", "warehouse"},
}


def modules_of(room: str) -> list[Path]:
    """Return a room's modules."""
    return sorted((ROOT / room).rglob("*.py"))


def imported_packages(module: Path) -> set[str]:
    """Return the top-level packages that a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


def test_the_rule_sees_imports_wherever_they_stand(tmp_path: Path) -> None:
    """An import inside a function or under ``if`` counts as one."""
    module = tmp_path / "module.py"
    module.write_text(
        "if True:\n    import dagster.x\ndef f():\n    from console.y import z\n", encoding="utf-8"
    )
    assert imported_packages(module) == {"dagster", "console"}


@pytest.mark.parametrize("room", ROOMS)
def test_domain_code_knows_no_orchestrator(room: str) -> None:
    """Extractors, the push, the builder and the vendors run, and are tested, without Dagster."""
    assert modules_of(room)
    guilty = [str(path) for path in modules_of(room) if imported_packages(path) & ORCHESTRATION]
    assert guilty == []


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_only_what_they_may(room: str) -> None:
    """The folders are layers: nothing reaches up or sideways but by the table above."""
    forbidden = set(MAY_IMPORT) - MAY_IMPORT[room] - {room, "perennial"}
    guilty = {
        str(path.relative_to(ROOT)): sorted(found)
        for path in modules_of(room)
        if (found := imported_packages(path) & forbidden)
    }
    assert guilty == {}


def test_the_ledger_is_the_lowest_room_of_the_push() -> None:
    """It keeps rows and knows neither who judges them nor who sends them."""
    below = re.compile(
        r"^(?:from|import) reverse_etl\.(?!ledger\b|addresses\b|kinds\b|states\b)\S+", re.MULTILINE
    )
    guilty = {path.name: below.findall(path.read_text("utf-8")) for path in modules_of("reverse_etl/ledger")}
    assert {name: found for name, found in guilty.items() if found} == {}


def test_no_python_in_the_dbt_folder() -> None:
    """A ``dbt/__init__.py`` would hide the package of that name."""
    assert list((ROOT / "dbt").rglob("*.py")) == []


def property_files() -> list[Path]:
    """Return the YAML files beside models, seeds and tests."""
    folders = ("models", "seeds", "macros", "tests")
    return sorted(path for folder in folders for path in (ROOT / "dbt" / folder).rglob("*.yml"))


@pytest.mark.parametrize("properties", property_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_dbt_properties_follow_the_schema(properties: Path) -> None:
    """On DuckDB dbt skips its own schema, so a misspelt key would pass unseen."""
    document = yaml.safe_load(properties.read_text(encoding="utf-8"))
    errors = CustomDraft7Validator(resources_schema()).iter_errors(document)
    assert [error.message for error in errors] == []


def test_every_model_has_its_properties_beside_it() -> None:
    """A model and its properties share a name and a folder."""
    models = (ROOT / "dbt" / "models").rglob("*.sql")
    assert [str(model.relative_to(ROOT)) for model in models if not model.with_suffix(".yml").exists()] == []


def test_no_model_reads_the_wall_clock() -> None:
    """One clock: a model knows ``as_of`` and nothing else."""
    clock = re.compile(r"\b(now\s*\(\)|current_timestamp|current_date|getdate|today\(\))", re.IGNORECASE)
    comment = re.compile(r"\{#.*?#\}|--[^\n]*", re.DOTALL)
    guilty = [
        str(path.relative_to(ROOT))
        for folder in ("models", "macros")
        for path in (ROOT / "dbt" / folder).rglob("*.sql")
        if clock.search(comment.sub("", path.read_text(encoding="utf-8")))
    ]
    assert guilty == []


def test_only_the_clock_reads_the_time_of_day() -> None:
    """``datetime.now`` and ``time.time`` appear in the clock, and in two places that mean the machine's time."""
    allowed = {
        "perennial/clock.py",
        "warehouse/publish.py",  # the age of a file
        "sandbox/klaviyo/bodies.py",  # a vendor's own clock, which nobody sets
    }
    guilty = []
    for room in MAY_IMPORT:
        for path in modules_of(room):
            name = str(path.relative_to(ROOT))
            text = path.read_text(encoding="utf-8")
            if name not in allowed and re.search(r"\bdatetime\.(now|utcnow|today)\(|\btime\.time\(", text):
                guilty.append(name)
    assert guilty == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements/bootstrap.lock"])
def test_locks_are_hashed_and_name_no_index(lock: str) -> None:
    """Every requirement is pinned with hashes; where it comes from is the installer's own setting."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"--(extra-)?index-url|--find-links|^-i ", text, re.MULTILINE)
    pinned = re.findall(
        r"^[A-Za-z0-9][^\s]*==[^\s]+.*\\\n((?:\s+--hash=sha256:[0-9a-f]{64}.*\n?)+)", text, re.MULTILINE
    )
    assert len(pinned) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE))


def test_the_lock_holds_what_the_project_asks_for() -> None:
    """A dependency that was added without ``make lock`` would be missing on a fresh machine."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = project[project.index("dependencies = [") : project.index("[project.scripts]")]
    asked = re.findall(r'"([A-Za-z0-9._-]+?)(?:[<>=!\[][^"]*)?"', section)
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    names = re.findall(r"^([A-Za-z0-9._-]+)(?:\[|==)", lock, re.MULTILINE)
    locked = {name.lower().replace("_", "-") for name in names}
    assert asked
    assert [name for name in asked if name.lower().replace("_", "-") not in locked] == []
