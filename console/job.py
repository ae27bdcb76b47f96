"""Running the one job in this process, with progress, and what came of it."""

import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import dagster as dg

from console.history import quick_history
from dagster_project.definitions import defs
from perennial.errors import PerennialError
from perennial.home import Home

# The steps of the job, as a person would call them; what is not named here is shown by its own name.
PHASES = {
    "flowhub": "pulling Flowhub",
    "omni__klaviyo_events": "pulling OMNI's events from Klaviyo",
    "webhooks": "looking at what webhooks brought",
    "landing": "checking what landed",
    "models": "building",
    "enrollments": "pushing",
    "published__current": "looking at what is published",
    "mirrors": "keeping destinations equal",
}
HOT = {"ops": {"models": {"config": {"lane": "hot"}}}}
LONGEST_CAUSE = 800
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Failed:
    """A step that failed: the cause, and the fix where the error knows it."""

    step: str
    cause: str
    fix: str


@dataclass
class JobResult:
    """What a run of the job did: each asset's metadata, what failed, and how long each step took."""

    run_id: str
    seconds: float = 0.0
    assets: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: list[Failed] = field(default_factory=list)
    refused: list[Failed] = field(default_factory=list)
    step_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every step ran and every blocking check passed."""
        return not (self.failed or self.refused)

    def rows(self, asset: str) -> int:
        """Return the rows that an asset's metadata notes; 0 where it was not made."""
        return int(self.assets.get(asset, {}).get("rows", 0))


def run_job(
    home: Home,
    *,
    on_progress: Callable[[str], None],
    select: str | None = None,
    push: bool = True,
    hot: bool = False,
) -> JobResult:
    """Execute the job ``perennial`` (or a selection of its assets) in this process.

    ``hot`` goes the same way in the hot lane, as the worker does, without tests that scan. The instance in
    the home keeps the run, so that the Dagster UI shows it like any other. Raises ``PerennialError`` for a
    selection that names nothing.
    """
    began = time.monotonic()
    on_progress("loading the definitions")
    run_id = str(uuid.uuid4())
    result = JobResult(run_id)
    job, selection = _job("perennial_hot" if hot else "perennial", select, push=push)

    def execute(instance: dg.DagsterInstance) -> None:
        instance.add_event_listener(run_id, _Watch(result, on_progress))
        done = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            run_config={**QUIET, **HOT} if hot else QUIET,
            asset_selection=selection,
        )
        if not done.success and result.ok:
            result.failed.append(Failed("the run", "it did not succeed", "look at it in Dagster: make dev"))

    with (
        warnings.catch_warnings(),
        quick_history(home),
        dg.DagsterInstance.from_config(str(home.dagster)) as instance,
    ):
        warnings.simplefilter("ignore")
        _interruptible(execute, instance, run_id)
    result.seconds = time.monotonic() - began
    return result


def _interruptible(
    execute: Callable[[dg.DagsterInstance], None], instance: dg.DagsterInstance, run_id: str
) -> None:
    """Execute on a thread, so that Ctrl-C and TERM end the call at once.

    On the main thread Dagster would take the signal for itself, as an error of the step in hand that a retry
    policy then tries again. What the thread leaves unfinished is finished by the next call, like after a crash.
    """
    raised: list[BaseException] = []

    def work() -> None:
        try:
            execute(instance)
        except BaseException as error:  # noqa: BLE001 - raised again below, on the thread that waits
            raised.append(error)

    thread = threading.Thread(target=work, daemon=True, name="job")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(timeout=0.2)
    except BaseException:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_canceled(run, message="The command was interrupted.")
        raise
    if raised:
        raise raised[0]


@cache
def _definitions() -> dg.Definitions:
    """Return the definitions, loaded once: a demo runs the job two dozen times."""
    return defs()


@cache
def _whole_job(name: str) -> dg.JobDefinition:
    return _definitions().resolve_job_def(name)


def _job(
    name: str, select: str | None, *, push: bool
) -> tuple[dg.JobDefinition, Sequence[dg.AssetKey] | None]:
    """Return the job and the assets of it to run; None is all."""
    job = _whole_job(name)
    if select is None and push:
        return job, None
    graph = _definitions().resolve_asset_graph()
    try:
        wanted = dg.AssetSelection.from_string(select) if select else dg.AssetSelection.all()
        keys = wanted.resolve(graph) & job.asset_layer.selected_asset_keys & graph.materializable_asset_keys
    except dg.DagsterError as error:
        raise PerennialError(
            f"--select {select!r} can't be read: {error}",
            "write it like group:staging or key:marts/dim_customers",
        ) from None
    if not push:
        keys -= dg.AssetSelection.groups("activation").resolve(graph)
    if not keys:
        raise PerennialError(
            f"--select {select!r} names no asset", "dg list defs shows the assets and groups"
        )
    return job, sorted(keys)


class _Watch:
    """Follows a run's events: says what happens, and keeps what came of it."""

    def __init__(self, result: JobResult, on_progress: Callable[[str], None]) -> None:
        self._result = result
        self._say = on_progress
        self._started: dict[str, float] = {}
        self._built = 0

    def __call__(self, entry: dg.EventLogEntry) -> None:
        """Take in one event."""
        event = entry.get_dagster_event() if entry.is_dagster_event else None
        if event is None:
            if entry.user_message:
                self._say(entry.user_message)
            return
        step = event.step_key or ""
        kind = event.event_type
        if kind is dg.DagsterEventType.STEP_START:
            self._started[step] = time.monotonic()
            self._say(PHASES.get(step, step))
        elif kind in {dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_FAILURE}:
            self._result.step_seconds[step] = time.monotonic() - self._started.get(step, time.monotonic())
            if kind is dg.DagsterEventType.STEP_FAILURE:
                self._fail(step, event)
        elif kind is dg.DagsterEventType.STEP_UP_FOR_RETRY:
            self._say(f"{PHASES.get(step, step)}: failed, trying again")
        elif kind is dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._made(step, event)
        elif kind is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self._checked(event)

    def _made(self, step: str, event: dg.DagsterEvent) -> None:
        made = event.step_materialization_data.materialization
        name = made.asset_key.to_user_string()
        self._result.assets[name] = {key: value.value for key, value in made.metadata.items()}
        if step == "models":
            self._built += 1
            self._say(f"building · {self._built} tables · {name}")

    def _checked(self, event: dg.DagsterEvent) -> None:
        evaluation = event.asset_check_evaluation_data
        if (
            evaluation.passed
            or not evaluation.blocking
            or evaluation.severity is not dg.AssetCheckSeverity.ERROR
        ):
            return
        self._result.refused.append(
            Failed(
                f"{evaluation.asset_key.to_user_string()}:{evaluation.check_name}",
                evaluation.description or "the check failed",
                "what comes after it was not started; the check's page in Dagster (make dev) says why",
            )
        )

    def _fail(self, step: str, event: dg.DagsterEvent) -> None:
        data = event.step_failure_data
        if any("AssetCheckFailed" in (error.cls_name or "") for error in _chain(data.error)):
            return  # the check itself is reported
        told = data.user_failure_data
        metadata = told.metadata if told else {}
        if told is not None:
            cause = metadata["cause"].value if "cause" in metadata else (told.description or "it failed")
            fix = metadata["fix"].value if "fix" in metadata else "look at the run in Dagster: make dev"
            self._result.failed.append(Failed(step, str(cause), str(fix)))
            return
        *_, root = _chain(data.error)
        self._result.failed.append(
            Failed(step, root.message.strip(), "look at the run in Dagster (make dev) for the traceback")
        )


def shorten(cause: str) -> str:
    """Return a cause that fits a screen; the run in Dagster has the whole text."""
    return cause if len(cause) <= LONGEST_CAUSE else f"{cause[:LONGEST_CAUSE]} …"


def _chain(error: Any) -> Iterator[Any]:  # noqa: ANN401 - Dagster's serialised error has no public name
    """Yield an error and its causes, the root last."""
    while error is not None:
        yield error
        error = error.cause
