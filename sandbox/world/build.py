"""Makes a world: reads the package, invents people and menu, and lets them live."""

import random
from dataclasses import replace

import numpy as np

from sandbox.world.accounts import make_changes, make_records
from sandbox.world.carts import CartMaker, emit_carts, judge_carts
from sandbox.world.draft import Draft
from sandbox.world.ids import to_us
from sandbox.world.journey import open_package, read_households, read_journey
from sandbox.world.knowledge import Knowledge
from sandbox.world.lapsed import judge_lapsed
from sandbox.world.loyalty import LoyaltyMaker
from sandbox.world.menu import make_menu
from sandbox.world.orders import make_orders, sort_orders
from sandbox.world.partners import PartnerMaker, name_records
from sandbox.world.people import make_people
from sandbox.world.spec import WorldSpec
from sandbox.world.truth import Truth
from sandbox.world.world import World


def build_world(spec: WorldSpec) -> tuple[World, Truth]:
    """Return the world of a spec and the truth about it; the same spec gives the same world."""
    with open_package() as package:
        menu = make_menu(package, spec.seed)
        households = read_households(package, spec)
        journey = read_journey(package, spec, menu, [household for household, *_ in households])
    people = make_people(spec, households)
    items = list(menu.items)
    orders, lines = make_orders(spec, journey, people)
    carts, created = CartMaker(spec, people, orders, lines, items).make()
    # An order from a cart reaches Flowhub when it is prepared; a till that syncs late shows it later still.
    late = orders.visible > orders.created
    visible = np.where(late, np.maximum(created, orders.visible), created)
    orders = replace(orders, created=created, visible=visible)
    orders = sort_orders(orders, lines, people)
    records = make_records(spec, people, orders)
    changes = make_changes(spec, people, records)

    truth = Truth()
    draft = Draft(to_us(spec.webhooks_since), to_us(spec.horizon), random.Random(f"{spec.seed}:draft"))
    knowledge = Knowledge(people, records, changes)
    partners = PartnerMaker(spec, people, draft, truth)
    partners.opt_out(knowledge)
    partners.browse(carts)
    partners.greet(orders)
    name_records(people, orders, truth)
    LoyaltyMaker(spec, people, draft, truth, knowledge).make(orders, lines)
    emit_carts(carts, draft, spec.seed)
    judge_carts(carts, knowledge, spec, truth)
    judge_lapsed(spec, people, orders, knowledge, truth)
    return World(spec, items, records, changes, orders, lines, draft.numbered()), truth
