"""Makes a world: reads the package, invents people and menu, and lets them live."""

from sandbox.world.accounts import make_changes, make_records
from sandbox.world.journey import open_package, read_households, read_journey
from sandbox.world.menu import make_menu
from sandbox.world.orders import make_orders, sort_orders
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
    truth = Truth()
    orders, lines = make_orders(spec, journey, people)
    orders = sort_orders(orders, lines, people)
    records = make_records(spec, people, orders)
    changes = make_changes(spec, people, records)
    return World(spec, list(menu.items), records, changes, orders, lines, []), truth
