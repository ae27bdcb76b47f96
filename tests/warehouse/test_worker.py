"""The worker decides on what lands at once, and builds for others who ask."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from extractors.landing.records import Record
from perennial.errors import PerennialError
from perennial.home import Home
from perennial.published import open_published
from tests.scene import Scene
from tests.warehouse import story
from warehouse import worker
from warehouse.client import build
from warehouse.report import BuildReport, NodeResult
from warehouse.worker import Worker

PATIENCE = 120.0


@contextmanager
def working(
    scene: Scene, push: Callable[[threading.Event], object] | None = None
) -> Iterator[list[BuildReport]]:
    """Run a worker in this process until the block ends; yields the builds that it made unasked."""
    reports: list[BuildReport] = []
    stop = threading.Event()
    thread = threading.Thread(
        target=Worker(scene.settings, push=push, on_report=reports.append).run, args=[stop]
    )
    thread.start()
    try:
        wait_for(Home(scene.home).worker_socket.exists)
        yield reports
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


def test_a_webhook_is_decided_and_pushed_without_anybody_asking(deployed: Path, tmp_path: Path) -> None:
    """What lands starts a hot moment; what it decided is pushed; the worker's own batches start none."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    pushed = threading.Event()
    with working(scene, push=lambda _: pushed.set()) as reports:
        scene.clock.set(story.at(18, 10), running=False)
        story.morning(scene)
        wait_for(lambda: any(report.decisions for report in reports))
        wait_for(pushed.is_set)
        builds = len(reports)
        time.sleep(1.0)
        assert len(reports) == builds, "a build's own batches start no build"
    [decision] = [json.loads(row.payload) for row in scene.log.read("perennial", "decisions")]
    assert decision["outcome"] == "enrolled"
    assert all(report.lane == "hot" and report.ok for report in reports)


def test_an_opt_out_is_pushed_while_a_build_runs(
    deployed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pusher hears of it at once: not from the build that has begun, and not by the way."""
    monkeypatch.setattr(worker, "_PUSH_SECONDS", PATIENCE)
    scene = Scene.on(deployed, tmp_path / "home", {})
    pushed: list[int] = []
    with working(scene, push=lambda _: pushed.append(scene.log.last_seq())) as reports:
        scene.clock.set(story.at(18, 10), running=False)
        story.morning(scene)
        moments = ("perennial", "moments")
        begun = len(list(scene.log.read(*moments)))
        wait_for(lambda: len(list(scene.log.read(*moments))) > begun)
        said = {"type": "unsubscribed", "channel": "email", "address": "ann@example.com"}
        record = Record("messaging", "feedback", None, scene.clock.now(), json.dumps(said))
        word = scene.log.append("feedback/1", [record]).seq
        wait_for(lambda: any(seq >= word for seq in pushed))
        assert not reports, "the build still runs"


def test_others_ask_the_worker_while_it_owns_the_file(deployed: Path, tmp_path: Path) -> None:
    """A build through the socket streams its nodes; readers read what is published while it runs."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.clock.set(story.at(18, 10), running=False)
    nodes: list[NodeResult] = []
    with working(scene):
        build(scene.settings, lane="scheduled")
        published = open_published(Home(scene.home))
        report = build(scene.settings, lane="scheduled", on_node=nodes.append)
        assert report.ok
        assert [node.unique_id for node in report.nodes] == [node.unique_id for node in nodes]
        assert len(nodes) > 10
        # nobody but the builder can open the warehouse, and nobody has to
        assert published.connection.execute("select count(*) from marts.fct_events").fetchall() == [(0,)]
        published.connection.close()
        with pytest.raises(PerennialError, match="another process builds"):
            Worker(scene.settings).run(threading.Event())
    assert build(scene.settings, lane="hot").build_no == report.build_no + 1, (
        "without a worker the asker hosts the builder"
    )


def test_a_caller_without_the_token_gets_no_build(deployed: Path, tmp_path: Path) -> None:
    """Loopback is shared by all users of a machine."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    scene.clock.set(story.at(18, 10), running=False)
    with working(scene):
        socket_file = Home(scene.home).worker_socket
        told = json.loads(socket_file.read_text(encoding="utf-8"))
        assert socket_file.stat().st_mode & 0o077 == 0, "only its owner may read the token"
        socket_file.write_text(json.dumps({**told, "token": "guessed"}), encoding="utf-8")
        with pytest.raises(PerennialError, match="does not know this caller"):
            build(scene.settings, lane="hot")


def test_a_published_set_is_whole_and_readable_with_plain_duckdb(deployed: Path, tmp_path: Path) -> None:
    """Each table of ``current.json`` is a file, each view is SQL over them; unchanged tables keep their files."""
    scene = Scene.on(deployed, tmp_path / "home", {})
    story.morning(scene)
    scene.clock.set(story.at(18, 10), running=False)
    assert build(scene.settings, lane="scheduled").ok
    folder = Home(scene.home).published
    first = json.loads((folder / "current.json").read_text(encoding="utf-8"))
    with duckdb.connect() as reader:
        for name, path in first["tables"].items():
            schema = name.partition(".")[0]
            reader.execute(f'create schema if not exists "{schema}"')
            reader.execute(f"create view {name} as select * from read_parquet('{folder / path}')")
        for name, sql in first["views"].items():
            reader.execute(f"create view {name} as {sql}")
        people = reader.execute(
            "select count(distinct customer_id) from marts.fct_events where customer_id is not null"
        ).fetchall()
        assert people == [(2,)]
        assert reader.execute("select count(*) from marts.flow_enrollments").fetchall() == [(1,)]
    assert build(scene.settings, lane="scheduled").ok
    second = json.loads((folder / "current.json").read_text(encoding="utf-8"))
    assert second["build_no"] == first["build_no"] + 1
    assert second["tables"]["marts.dim_customers"] == first["tables"]["marts.dim_customers"], (
        "nothing changed in it"
    )
