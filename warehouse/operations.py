"""The builder's own tables: moments, the manifest's files by stream, the flows' settings."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import duckdb

from extractors.landing.batches import LandedFile
from extractors.landing.log import LandingLog
from perennial.salt import Salt
from warehouse.flow_settings import FlowSettings
from warehouse.moments import Moment

# The columns are those of the macro `prepare_operations`, which makes the tables.
_FLOW_COLUMNS = """
    flow_name, flow_version, status, active_since, display_name, kind, trigger_event, window_seconds, channels,
    destination, reentry_days, concurrent, max_duration_seconds, holdout_percent, rank, email_unless_opted_out,
    grace_seconds, settings, utm_campaign, from_name, from_address, exits, recheck, programme, offer,
    conversion_seconds
"""


def naive(instant: datetime) -> datetime:
    """Return an instant as the warehouse keeps it: UTC without a zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def aware(instant: datetime) -> datetime:
    """Return an instant of the warehouse with its zone."""
    return instant.replace(tzinfo=UTC)


def list_new_files(warehouse: duckdb.DuckDBPyConnection, log: LandingLog, upto_seq: int) -> None:
    """Tell the models which files hold the batches up to ``upto_seq``; cost follows new batches and rewritten files."""
    [[known, rewrites]] = warehouse.execute(
        "select (select coalesce(max(last_seq), 0) from ops.landing_files),"
        " (select coalesce(max(last_number), 0) from ops.landing_rewrites)",
    ).fetchall()
    rewritten = log.rewrites(after=rewrites)
    warehouse.execute("begin")
    # What lies elsewhere now is listed anew, as far as it was listed. Files are replaced whole: no row straddles.
    for first_seq, last_seq in _joined((one.first_seq, min(one.last_seq, known)) for one in rewritten):
        warehouse.execute(
            "delete from ops.landing_files where first_seq between ? and ?", [first_seq, last_seq]
        )
        _list(warehouse, log.files(after=first_seq - 1, upto=last_seq))
    _list(warehouse, log.files(after=known, upto=upto_seq))
    _count_new_batches(warehouse, log, upto_seq)
    if rewritten:
        warehouse.execute("delete from ops.landing_rewrites")
        warehouse.execute("insert into ops.landing_rewrites values (?)", [rewritten[-1].seq])
    warehouse.execute("commit")


def _count_new_batches(warehouse: duckdb.DuckDBPyConnection, log: LandingLog, upto_seq: int) -> None:
    """Note how many rows of which stream each batch has, as the manifest says: what must be accounted for."""
    [[counted]] = warehouse.execute("select coalesce(max(seq), 0) from ops.landed_batches").fetchall()
    rows = [
        (batch.seq, stream, rows)
        for batch in log.batches(after=counted, upto=upto_seq)
        for stream, rows in batch.streams.items()
    ]
    if rows:
        warehouse.executemany("insert into ops.landed_batches values (?, ?, ?)", rows)


def _list(warehouse: duckdb.DuckDBPyConnection, files: Iterable[LandedFile]) -> None:
    rows = [
        (file.first_seq, file.last_seq, stream, file.path, rows)
        for file in files
        for stream, rows in file.streams.items()
    ]
    if rows:
        warehouse.executemany("insert into ops.landing_files values (?, ?, ?, ?, ?)", rows)


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges that cover the same numbers and don't meet; one that ends before it begins covers none."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(one for one in ranges if one[0] <= one[1]):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def streams_after(warehouse: duckdb.DuckDBPyConnection, seq: int) -> set[str]:
    """Return the streams that the listed files hold after a batch."""
    found = warehouse.execute(
        "select distinct stream from ops.landing_files where last_seq > ?", [seq]
    ).fetchall()
    return {stream for (stream,) in found}


def set_flow_settings(
    warehouse: duckdb.DuckDBPyConnection,
    settings: Mapping[str, FlowSettings],
    versions: Mapping[str, str],
    since: Mapping[str, tuple[str, datetime]],
) -> None:
    """Put the settings of every flow, and since when each has its status, where the models read them."""
    rows = [
        (
            name, versions[name], flow.status, naive(since[name][1]), flow.display_name, flow.kind,
            ",".join(flow.trigger), int(flow.window.total_seconds()), ",".join(flow.channels), flow.destination,
            flow.reentry, flow.concurrent,
            int(flow.max_duration.total_seconds()) if flow.max_duration else None, flow.holdout_percent, flow.rank,
            flow.email_unless_opted_out, int(flow.grace.total_seconds()), flow.model_dump_json(), flow.utm_campaign,
            flow.from_name, flow.from_address, ",".join(flow.exits), ",".join(flow.recheck), flow.programme, flow.offer,
            int(flow.conversion_window.total_seconds()),
        )
        for name, flow in settings.items()
    ]  # fmt: skip
    marks = ", ".join("?" for _ in _FLOW_COLUMNS.split(","))
    warehouse.execute("begin")
    warehouse.execute("delete from ops.flow_settings")
    if rows:
        warehouse.executemany(f"insert into ops.flow_settings ({_FLOW_COLUMNS}) values ({marks})", rows)  # noqa: S608 -- constants
    warehouse.execute("commit")


def set_switches(
    warehouse: duckdb.DuckDBPyConnection,
    switches: Mapping[str, str],
    since: Mapping[str, tuple[str, datetime]],
) -> None:
    """Put what is on and off in this moment, and since when, where the models read it."""
    warehouse.execute("begin")
    warehouse.execute("delete from ops.switches")
    for name, state in switches.items():
        warehouse.execute(
            "insert into ops.switches values (?, ?, ?)", [name, state == "on", naive(since[name][1])]
        )
    warehouse.execute("commit")


def last_moment(warehouse: duckdb.DuckDBPyConnection, *, finished: bool) -> tuple[int, datetime, int] | None:
    """Return number, instant and reach of the newest moment that is (not) finished."""
    found = warehouse.execute(
        "select build_no, as_of, upto_seq from ops.moments where finished = ? order by build_no desc limit 1",
        [finished],
    ).fetchall()
    return (found[0][0], aware(found[0][1]), found[0][2]) if found else None


def set_salt(warehouse: duckdb.DuckDBPyConnection, salt: Salt) -> None:
    """Put the salt where models compare addresses with erasures; it is in no model's text and in no log."""
    if warehouse.execute("select salt_id from ops.salt").fetchall() == [(salt.salt_id,)]:
        return
    warehouse.execute("begin")
    warehouse.execute("delete from ops.salt")
    warehouse.execute("insert into ops.salt values (?, ?)", [salt.text, salt.salt_id])
    warehouse.execute("commit")


def begin_moment(warehouse: duckdb.DuckDBPyConnection, moment: Moment) -> None:
    """Note that a moment has begun; once."""
    warehouse.execute(
        "insert into ops.moments select ?, ?, ?, ?, false where ? not in (select build_no from ops.moments)",
        [moment.build_no, naive(moment.as_of), moment.upto_seq, moment.lane, moment.build_no],
    )


def cursors(warehouse: duckdb.DuckDBPyConnection, build_no: int) -> dict[str, dict[str, dict[str, int]]]:
    """Return by model how far it has read, in all and before this moment; the macro `cursor` knows which it needs."""
    found = warehouse.execute(
        "select model, max(upto_seq), max(build_no),"
        " max(upto_seq) filter (where build_no < $build_no), max(build_no) filter (where build_no < $build_no)"
        " from ops.model_cursors group by model",
        {"build_no": build_no},
    ).fetchall()
    return {
        model: {
            "all": {"upto_seq": upto_seq, "build_no": number},
            "earlier": {"upto_seq": earlier_seq or 0, "build_no": earlier_number or 0},
        }
        for model, upto_seq, number, earlier_seq, earlier_number in found
    }


def finish_moment(warehouse: duckdb.DuckDBPyConnection, moment: Moment) -> None:
    """Note that a moment is finished, and forget the cursors that newer ones replace."""
    warehouse.execute("begin")
    warehouse.execute("update ops.moments set finished = true where build_no = ?", [moment.build_no])
    warehouse.execute(
        "delete from ops.model_cursors as older using ("
        "select model, max(build_no) as build_no from ops.model_cursors group by model"
        ") as newest where older.model = newest.model and older.build_no < newest.build_no",
    )
    warehouse.execute("commit")


def fingerprint(warehouse: duckdb.DuckDBPyConnection) -> str | None:
    """Return the project's fingerprint as of the last full deployment of seeds and views."""
    found = warehouse.execute("select fingerprint from ops.deployments").fetchall()
    return found[0][0] if found else None


def note_deployment(warehouse: duckdb.DuckDBPyConnection, value: str, at: datetime) -> None:
    """Remember that seeds and views are those of this fingerprint; the last word counts, the clock may stand still."""
    warehouse.execute("begin")
    warehouse.execute("delete from ops.deployments")
    warehouse.execute("insert into ops.deployments values (?, ?)", [value, naive(at)])
    warehouse.execute("commit")


def versions_of(settings: Mapping[str, FlowSettings], checksums: Mapping[str, str]) -> dict[str, str]:
    """Return a short version of each flow: it changes with its SQL and its settings."""
    return {
        name: hashlib.sha256(
            (checksums[name] + json.dumps(flow.model_dump(mode="json"), sort_keys=True)).encode(),
        ).hexdigest()[:12]
        for name, flow in settings.items()
    }
