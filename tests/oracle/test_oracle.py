"""The models decide as the rules do that were written from the design alone: everything, reasons included."""

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from itertools import chain, pairwise, zip_longest
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.golden.cases import Case, cases, instant
from tests.golden.test_decisions import naive
from tests.oracle.histories import SEASONS, Setting, history, rare
from tests.oracle.rules import GATES, Decision, Flow, Gate, History, Memory, World, decide, received, who_is
from tests.scene import KNOWN_SINCE, stable_number
from tests.stage import Stage, tell
from warehouse.project import PROJECT
from warehouse.rebuild import rebuild

# A case is what happens to one shopper, or to the few records that turn out to be one.
CASES_A_SEASON = int(os.environ.get("PERENNIAL_ORACLE_CASES", "1020")) // len(SEASONS)


@cache
def shipped() -> Mapping[str, Mapping[str, Any]]:
    """Return the settings of the flows as they are shipped."""
    told = {}
    for path in (PROJECT / "models" / "flows").glob("*.yml"):
        [model] = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
        told[path.stem] = model["config"]["meta"]["flow"]
    return told


@cache
def histories(season: Setting) -> Sequence[History]:
    """Return the cases of a season."""
    flows = season.flows_told(shipped())
    return rare(season, flows) + [history(number, season, flows) for number in range(CASES_A_SEASON)]


def comparable(decision: Decision) -> tuple[Any, ...]:
    """Return what both must say of a decision; what would be sent matters only where something is."""
    sent = (decision.channels, decision.not_before, decision.expires_at) if decision.reason is None else None
    return (
        decision.flow, decision.key, decision.node, decision.triggered_at, decision.decided_at, decision.reason, sent
    )  # fmt: skip


def decided(told: History, gates: Sequence[Gate] = GATES) -> list[tuple[Any, ...]]:
    """Return what the rules decide."""
    return sorted((comparable(one.decision) for one in decide(told, gates)), key=repr)


def play(stage: Stage, season: Setting) -> None:
    """Let all cases of a season happen side by side."""
    stage.set_flows()
    steps = []
    for told in histories(season):
        for person, traits in told.people.items():
            stage.know(person, **traits)
        steps += [(received(fact), number, fact, told.people) for number, fact in enumerate(told.facts)]
    steps.sort(key=lambda step: step[:2])
    for moment in season.moments:
        while steps and steps[0][0] <= moment:
            _, _, fact, people = steps.pop(0)
            tell(stage, fact, {person: dict(traits) for person, traits in people.items()})
        stage.build(moment)


def decided_by_models(stage: Stage) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the models decided, by the number of the case."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    rows = stage.rows(
        """
        select decisions.*, coalesce(carts.cart_id, decisions.object_id) as cart
        from decisions.int_flow_decisions as decisions
        left join events.int_carts as carts on decisions.object_id = carts.cart_id
        """
    )
    for row in rows:
        decision = Decision(
            row["flow_name"], row["mode"], row["trigger_key"], row["subject_node"], row["triggered_at"],
            row["decided_at"], row["reason"], tuple(row["channels"].split(",")), row["not_before"], row["expires_at"],
        )  # fmt: skip
        found.setdefault(decision.node, []).append(comparable(decision))
    return found


@pytest.mark.parametrize(
    "season",
    [
        pytest.param(season, id=season.name, marks=[pytest.mark.thorough] if "back" in season.name else [])
        for season in SEASONS
    ],
)
def test_the_models_decide_as_the_rules_do(season: Setting, deployed: Path, tmp_path: Path) -> None:
    """Each case alone says what it is about: its facts, what the rules decide and what the models did."""
    stage = Stage.on(deployed, tmp_path / "home", {name: dict(told) for name, told in season.flows.items()})
    # batches between two moments, and the order in them, decide nothing: the rules know of neither
    stage.shuffle = None if season is SEASONS[0] else random.Random(season.name)  # noqa: S311 -- no secret
    play(stage, season)
    by_node = decided_by_models(stage)
    if season is SEASONS[-1]:
        check_that_nothing_is_decided_anew(stage, season)
    differing = []
    for told in histories(season):
        expected = [_naive(one) for one in decided(told)]
        nodes = {one[2] for one in expected} | _nodes(told)
        found = sorted((one for node in nodes for one in by_node.pop(node, [])), key=repr)
        if found != sorted(expected, key=repr):
            differing.append(_say(told, expected, found))
    assert not by_node, "nobody's decisions"
    assert not differing, f"{len(differing)} of {CASES_A_SEASON} cases; the first:\n\n" + "\n\n".join(
        differing[:3]
    )


def check_that_nothing_is_decided_anew(stage: Stage, season: Setting) -> None:
    """Build the last moment again, and the whole warehouse from landing: the decisions are the same."""
    query = "select * from decisions.int_flow_decisions order by decision_id"
    before = stage.rows(query)
    stage.build(season.moments[-1])
    assert stage.rows(query) == before
    stage.let_go()
    assert rebuild(stage.settings, season.moments[-1]).ok
    assert stage.rows(query) == before


def _nodes(told: History) -> set[str]:
    """Return the records that a case may be decided for."""
    people = [f"jane_user:{stable_number(f'jane {person}')}" for person in told.people]
    return {*people, *(f"device:{fact['device']}" for fact in told.facts if "device" in fact)}


def _naive(one: tuple[Any, ...]) -> tuple[Any, ...]:
    flow, key, node, triggered_at, decided_at, reason, sent = one
    if sent is not None:
        sent = (sent[0], naive(sent[1]), naive(sent[2]))
    return (flow, key, node, naive(triggered_at), naive(decided_at), reason, sent)


def _say(told: History, expected: Sequence[Any], found: Sequence[Any]) -> str:
    lines = ["people: " + repr(told.people)]
    lines += [f"  {received(fact):%d %H:%M:%S} {fact}" for fact in sorted(told.facts, key=received)]
    lines += [f"- rules  {one}" for one in expected if one not in found]
    lines += [f"+ models {one}" for one in found if one not in expected]
    return "\n".join(lines)


def of_case(case: Case) -> History:
    """Return a golden case as a history."""
    flows = [Flow(name, {**shipped()[name], **told}) for name, told in case.settings.items()]
    status = case.status
    since = KNOWN_SINCE
    if "active_since" in status:
        since = instant(status["active_since"])
    elif "status" in status:
        since = KNOWN_SINCE + timedelta(days=1)
    rehearsed = instant(status["becomes_active"]) if "becomes_active" in status else None
    facts = [case.own(fact) for fact in case.told["given"]]
    moments = [instant(moment) for moment in case.told["moments"]]
    nobody_asked = {"email_consent": "unknown", "sms_consent": "unknown"}
    strangers = {fact["person"]: nobody_asked for fact in facts if fact.get("person", "").startswith("new_")}
    return History(facts, moments, flows, {**strangers, **case.overrides}, since, rehearsed)


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_the_rules_decide_each_golden_case(case: Case) -> None:
    """What the file expects of the models holds for the rules."""
    told = of_case(case)
    memory = decide(told)
    world = World(told, told.moments[-1], None)
    for expected in map(case.own, case.told.get("expect", [])):
        flow = expected.get("flow", told.flows[0].name)
        who = world.person(expected["person"]) if "person" in expected else None
        found = [
            one
            for one in memory
            if one.decision.flow == flow
            and (who_is(world, one.candidate) == who or one.candidate.subject == expected.get("device"))
        ]
        found = [one for one in found if expected.get("mode", "live") == one.decision.mode]
        if "trigger" in expected:
            about = {
                fact["at"]
                for fact in told.facts
                if expected["trigger"] in (fact.get("cart"), fact.get("trigger"))
            }
            found = [one for one in found if one.decision.triggered_at in about]
        listed = [other for other in case.told["expect"] if "decided_at" in other]
        if len(listed) > 1 and "decided_at" in expected:
            found = [one for one in found if one.decision.decided_at == expected["decided_at"]]
        if expected["outcome"] == "none":
            assert found == []
            continue
        assert len(found) == expected.get("count", 1), found
        for one in found:
            _hold(one, expected)
    for expected in map(case.own, case.told.get("expect_consent", [])):
        assert world.consent(expected["person"], expected["channel"])[0] == expected["status"]


def _hold(one: Memory, expected: dict[str, Any]) -> None:
    decision = one.decision
    assert (decision.reason is None) == (expected["outcome"] == "enrolled"), one
    assert decision.reason == expected.get("reason")
    if "channels" in expected:
        assert list(decision.channels) == expected["channels"]
    for key in ("decided_at", "not_before"):
        if key in expected:
            assert getattr(decision, key) == expected[key]
    if "exit" in expected:
        assert one.ended == expected["exit"]
    if "trigger_key" in expected:
        assert decision.key == expected["trigger_key"]


@cache
def _everything() -> Sequence[History]:
    """Return every history there is, those that are about few rules first and the seasons by turns."""
    by_turns = chain.from_iterable(zip_longest(*map(histories, SEASONS)))
    return [*map(of_case, cases()), *(told for told in by_turns if told is not None)]


def _mutants() -> Iterator[tuple[str, tuple[Gate, ...]]]:
    """Yield the gates with one of them gone, and with two neighbours in each other's place."""
    for place, (name, _) in enumerate(GATES):
        yield f"without {name}", GATES[:place] + GATES[place + 1 :]
    for place, ((first, _), (second, _)) in enumerate(pairwise(GATES)):
        if (first, second) not in _EXCLUDE_EACH_OTHER:
            swapped = (GATES[place + 1], GATES[place])
            yield f"{second} before {first}", GATES[:place] + swapped + GATES[place + 2 :]


# Nobody can fail both.
_EXCLUDE_EACH_OTHER = {("unknown_person", "no_identifier"), ("under_age", "age_unknown")}


@cache
def _answer(place: int) -> list[tuple[Any, ...]]:
    return decided(_everything()[place])


@pytest.mark.parametrize(
    ("what", "gates"), list(_mutants()), ids=lambda told: told if isinstance(told, str) else ""
)
def test_no_gate_can_go_or_change_places_unseen(what: str, gates: tuple[Gate, ...]) -> None:
    """Some case, whose answer the models agree with, is answered otherwise."""
    assert any(_differs(told, gates, _answer(place)) for place, told in enumerate(_everything())), what


def _differs(told: History, gates: Sequence[Gate], answer: Sequence[Any]) -> bool:
    try:
        return decided(told, gates) != answer
    except AssertionError:
        return True  # without this gate others are asked what they can't know
