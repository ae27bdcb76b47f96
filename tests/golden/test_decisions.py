"""The golden cases, decided by the models as they are shipped and sent to the sandbox's vendors."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from perennial.settings import Settings
from reverse_etl.push import push
from sandbox.credentials import sandbox_environment
from tests.golden.cases import FILE, Case, Home, cases, homes, instant
from tests.reverse_etl.sandbox_vendors import Vendors, serving_sandbox
from tests.scene import KNOWN_SINCE, stable_number
from tests.stage import Stage, tell

_FACT, _MOMENT, _PUSH = range(3)


@dataclass
class Played:
    """A home in which its cases have happened."""

    home: Home
    stage: Stage
    taken: Counter[str] = field(default_factory=Counter)
    receipts: dict[str, str] = field(default_factory=dict)

    def play(self) -> None:
        """Land the facts, build the moments and push, in the order in which they were."""
        everyone = [(case, person) for case in self.home.cases for person in case.people]
        for case, person in everyone:
            self.stage.know(person, **case.overrides.get(person, {}))
        self.stage.know("baseline")  # whose membership makes the audiences known before anybody enters one
        for number, total in enumerate((20.0, 2_000.0)):
            self.stage.order("baseline", f"baseline-{number}", KNOWN_SINCE + timedelta(days=number), total)
        with ExitStack() as open_things:
            vendors: Vendors | None = None
            if any(case.pushes_at for case in self.home.cases):
                vendors = open_things.enter_context(
                    serving_sandbox(self.stage.home / "sandbox", self.stage.clock)
                )
            for at, kind, case, fact in self._steps():
                if kind == _MOMENT:
                    self.stage.set_flows(self._status_at(at))
                    self.stage.build(at)
                elif kind == _PUSH:
                    assert vendors is not None
                    self._push(at, vendors)
                elif "receipt" in fact:
                    for row in self.decisions(case, {"person": fact["person"]}):
                        self.stage.receipt(row["decision_id"], at, fact["receipt"])
                else:
                    tell(self.stage, fact, case.overrides)

    def _steps(self) -> Iterator[tuple[datetime, int, Case, dict[str, Any]]]:
        first = self.home.cases[0]
        steps = [
            (fact.get("voided_at") or fact.get("received") or fact["at"], _FACT, case, fact)
            for case in self.home.cases
            for fact in case.facts
        ]
        steps += [(moment, _MOMENT, first, {}) for moment in self.home.moments]
        steps += [(case.pushes_at, _PUSH, case, {}) for case in self.home.cases if case.pushes_at]
        if {"active_since", "status"} & first.status.keys():
            # the flow has another status than that of the deployed home: a moment must see it first
            steps.append((KNOWN_SINCE + timedelta(days=1), _MOMENT, first, {}))
        if "active_since" in first.status:
            steps.append((instant(first.status["active_since"]), _MOMENT, first, {}))
        yield from sorted(steps, key=lambda step: step[:2])

    def _status_at(self, at: datetime) -> dict[str, Any]:
        told = self.home.cases[0].status
        if "active_since" in told and at < instant(told["active_since"]):
            return {"status": "draft"}
        if "becomes_active" in told and at >= instant(told["becomes_active"]):
            return {"status": "active"}
        return {"status": told.get("status", "active")}

    def _push(self, at: datetime, vendors: Vendors) -> None:
        self.stage.land_waiting()
        self.stage.clock.set(at, running=False)
        environment = sandbox_environment(self.stage.home, vendors.port, 1)
        told = {name.lower(): value for name, value in environment.items() if value}
        push(Settings(_env_file=None, **told))  # type: ignore[arg-type]  # read from texts, as from an environment
        self.taken = Counter(event["enrollment_id"] for event in vendors.aiq_events())
        self.taken.update(event["unique_id"] for event in vendors.klaviyo_events())
        for record in self.stage.log.read("perennial", "receipts"):
            told_receipt = json.loads(record.payload)
            self.receipts[told_receipt["enrollment_id"]] = told_receipt["status"]

    def decisions(self, case: Case, expected: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the decisions that an expectation speaks of."""
        node = (
            f"device:{expected['device']}"
            if "device" in expected
            else f"flowhub_customer:fh-{expected['person']}"
        )
        rows = self.stage.rows(
            """
            with person as (select customer_id from identity.int_identity__map where node = ?)
            select decisions.*, exits.reason as exit_reason
            from decisions.int_flow_decisions as decisions
            left join identity.int_identity__map as decided on decisions.record_key = decided.record_key
            left join marts.flow_exits as exits on decisions.decision_id = exits.enrollment_id
            where decisions.flow_name = ?
                and (decided.customer_id = (select customer_id from person) or decisions.subject_node = ?)
            order by decided_at
            """,
            node,
            expected.get("flow", next(iter(case.settings), "none")),
            node,
        )
        if "mode" in expected:
            rows = [row for row in rows if row["mode"] == expected["mode"]]
        if expected.get("outcome") == "skipped" or expected.get("count", 1) == 1:
            # a case with several expectations tells them apart by when they were decided
            listed = [told for told in case.told.get("expect", []) if "decided_at" in told]
            if len(listed) > 1 and "decided_at" in expected:
                rows = [row for row in rows if row["decided_at"] == naive(expected["decided_at"])]
        if "trigger" in expected:
            begun = {fact["at"] for fact in case.facts if fact.get("trigger") == expected["trigger"]}
            rows = [
                row
                for row in rows
                if row["object_id"] == str(stable_number(expected["trigger"]))
                or row["triggered_at"] in {naive(at) for at in begun}
            ]
        return rows

    def check(self, case: Case) -> None:
        """Hold each expectation of a case against exactly the decisions that it speaks of."""
        for told in case.told.get("expect", []):
            expected = case.own(told)
            rows = self.decisions(case, expected)
            if expected["outcome"] == "none":
                assert rows == []
                assert not self._waits(case, expected)
                continue
            assert len(rows) == expected.get("count", 1), rows
            for row in rows:
                check(row, expected)
            self._check_what_was_sent(rows, expected)
        for told in case.told.get("expect_consent", []):
            self._check_consent(case.own(told))

    def _waits(self, case: Case, expected: dict[str, Any]) -> bool:
        pending = self.stage.rows("select flow_name, subject_node from marts.flow_pending")
        return any(
            row["flow_name"] in case.settings and expected.get("person", "-") in row["subject_node"]
            for row in pending
        )

    def _check_what_was_sent(self, rows: list[dict[str, Any]], expected: dict[str, Any]) -> None:
        ids = [row["decision_id"] for row in rows]
        if "pushed" in expected:
            assert [self.taken[one] for one in ids].count(1) == int(expected["pushed"])
            assert max(self.taken[one] for one in ids) <= 1
        if "receipt" in expected:
            assert {self.receipts[one] for one in ids} == {expected["receipt"]}
        if "other_receipt" in expected:
            unsent = [one for one in ids if not self.taken[one]]
            assert {self.receipts[one] for one in unsent} == {expected["other_receipt"]}

    def _check_consent(self, expected: dict[str, Any]) -> None:
        person, channel = expected["person"], expected["channel"]
        found = self.stage.rows(
            "select * from marts.address_consent where channel = ? and address = ?",
            channel,
            self.stage.email(person) if channel == "email" else self.stage.phone(person),
        )
        assert (found[0]["status"] if found else "unknown") == expected["status"]
        if "changed_at" in expected:
            assert found[0]["changed_at"] == naive(expected["changed_at"])


def naive(at: datetime) -> datetime:
    """Return an instant as the warehouse keeps it."""
    return at.replace(tzinfo=None)


def check(row: dict[str, Any], expected: dict[str, Any]) -> None:
    """Hold one decision against what is expected of it."""
    assert row["outcome"] == expected["outcome"], row
    assert row["reason"] == expected.get("reason"), row
    if "channels" in expected:
        assert row["channels"].split(",") == expected["channels"]
    for instant_of in ("decided_at", "not_before"):
        if instant_of in expected:
            assert row[instant_of] == naive(expected[instant_of]), row
    if "exit" in expected:
        assert row["exit_reason"] == expected["exit"]
    if "trigger_key" in expected:
        assert row["trigger_key"] == expected["trigger_key"]
    context = json.loads(row["context"])
    assert {key: context.get(key) for key in expected.get("context", {})} == expected.get("context", {})


@pytest.mark.parametrize("home", homes(), ids=str)
def test_the_models_decide_as_the_cases_say(home: Home, deployed: Path, tmp_path: Path) -> None:
    """Every case of a home, with the ones that failed named."""
    played = Played(home, Stage.on(deployed, tmp_path / "home", home.settings))
    played.play()
    failed = []
    for case in home.cases:
        try:
            played.check(case)
        except AssertionError as error:
            failed.append(f"{case}: {error}")
    assert not failed, "\n\n".join(failed)


def test_every_case_of_the_file_is_played() -> None:
    """Once, and the people of the cases are there before anything happens to them."""
    played = Counter(str(case) for home in homes() for case in home.cases)
    told = [
        f"{section}: {case['case']}"
        for section, listed in FILE.items()
        if section != "operators"
        for case in listed
    ]
    assert played == Counter(told)
    assert all(moment > KNOWN_SINCE for case in cases() for moment in case.moments)
