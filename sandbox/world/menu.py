"""The menu: the grocery's product types in cannabis terms, prices kept.

Grain: a menu item is one product that a customer would name (brand, name, variant). The products of The
Complete Journey that share a type become its batches: the same item under changing ids and SKUs, as in a real
point of sale.
"""

import random
from collections import defaultdict
from dataclasses import dataclass

import duckdb

from sandbox.world.ids import number
from sandbox.world.words import BRANDS, FLAVOURS, STRAINS, TERPENES

MENU_SIZE = 640
FEWEST_OF_A_CATEGORY = 12

# What the grocery sells that a dispensary could not: fuel, postage, coupons' own lines.
NOT_ON_THE_MENU = (
    "FUEL",
    "COUPON",
    "MISCELLANEOUS",
    "POSTAL CENTER",
    "CNTRL/STORE SUP",
    "PROD-WHS SALES",
    "GM MERCH EXP",
)

_BY_DEPARTMENT: dict[str, tuple[str, ...]] = {
    # several categories: a product category of the department always goes to the same one
    "GROCERY": (
        "Flower",
        "Flower",
        "Flower",
        "Pre-Rolls",
        "Pre-Rolls",
        "Edibles",
        "Edibles",
        "Vapes",
        "Vapes",
    ),
    "DRUG GM": ("Vapes", "Concentrates", "Topicals", "Accessories"),
    "PRODUCE": ("Flower",),
    "MEAT": ("Concentrates",),
    "MEAT-PCKGD": ("Concentrates",),
    "DELI": ("Edibles",),
    "PASTRY": ("Edibles",),
    "NUTRITION": ("Tinctures",),
    "SPIRITS": ("Tinctures",),
    "COSMETICS": ("Topicals",),
    "FLORAL": ("Flower",),
}
_VARIANTS: dict[str, tuple[tuple[str, float], ...]] = {
    # (variant, grams of the package)
    "Flower": (("Gram", 1), ("Eighth", 3.5), ("Quarter", 7), ("Half Ounce", 14), ("Ounce", 28)),
    "Pre-Rolls": (("0.5g Single", 0.5), ("1g Single", 1), ("5 Pack", 2.5)),
    "Vapes": (("0.5g Cartridge", 0.5), ("1g Cartridge", 1), ("Disposable", 0.3)),
    "Edibles": (("10mg Single", 0.01), ("100mg Pack", 0.1)),
    "Concentrates": (("1g Live Resin", 1), ("1g Wax", 1), ("1g Badder", 1), ("2g Shatter", 2)),
    "Tinctures": (("15ml", 0.15), ("30ml", 0.3)),
    "Topicals": (("2oz Balm", 0.1), ("Patch", 0.02)),
    "Accessories": (("One Size", 0),),
}
_NOUNS = {
    "Edibles": ("Gummies", "Chocolate", "Caramels", "Mints", "Seltzer"),
    "Tinctures": ("Drops", "Tincture", "Elixir"),
    "Topicals": ("Relief Balm", "Muscle Rub", "Body Lotion"),
    "Accessories": (
        "Grinder",
        "Rolling Papers",
        "Glass Pipe",
        "Lighter",
        "Storage Jar",
        "Vape Battery",
        "Tray",
    ),
}
_KINDS = ("Bamboo", "Steel", "Pocket", "Travel", "Classic")
_STRAIN_NAMED = ("Flower", "Pre-Rolls", "Vapes", "Concentrates")


@dataclass(frozen=True, slots=True)
class Item:
    """A menu item. ``price`` is the usual shelf price in cents."""

    index: int
    category: str
    brand: str
    title: str
    variant: str
    strain: str | None
    species: str | None
    grams: float
    price: int
    thc: float
    terpenes: tuple[tuple[str, float], ...]

    @property
    def name(self) -> str:
        """What the receipt says."""
        return f"{self.title} - {self.variant}"


@dataclass(frozen=True)
class Menu:
    """The items, and which of them each (department, category, type) of the grocery became."""

    items: tuple[Item, ...]
    of_type: tuple[tuple[str, str, str, int], ...]


def category_of(department: str, product_category: str) -> str:
    """Return the cannabis category of a grocery category."""
    choices = _BY_DEPARTMENT.get(department, ("Accessories",))
    return choices[number("category", department, product_category) % len(choices)]


def make_menu(connection: duckdb.DuckDBPyConnection, seed: int) -> Menu:
    """Make the menu from the year's sales (views ``transactions`` and ``products``)."""
    types = connection.execute(
        """
        select
            p.department,
            coalesce(p.product_category, ''),
            coalesce(p.product_type, ''),
            count(*) as lines,
            cast(round(100 * avg((t.sales_value + t.retail_disc + t.coupon_match_disc) / t.quantity)) as int)
        from transactions as t
        join products as p using (product_id)
        where t.quantity between 1 and 60 and p.department not in (select unnest(?))
        group by 1, 2, 3
        order by lines desc, 1, 2, 3
        """,
        [list(NOT_ON_THE_MENU)],
    ).fetchall()
    by_category: dict[str, list[tuple[str, str, str, int, int]]] = defaultdict(list)
    for department, product_category, product_type, lines, price in types:
        category = category_of(department, product_category)
        by_category[category].append((department, product_category, product_type, lines, price))
    items: list[Item] = []
    of_type: list[tuple[str, str, str, int]] = []
    total = sum(lines for *_, lines, _ in types)
    for category in sorted(by_category):
        members = by_category[category]
        share = sum(member[3] for member in members) / total
        size = min(len(members), max(FEWEST_OF_A_CATEGORY, round(MENU_SIZE * share)))
        first = len(items)
        rng = random.Random(f"{seed}:menu:{category}")
        taken: set[tuple[str, str, str]] = set()
        items += [
            _make_item(first + n, category, member[4], rng, taken) for n, member in enumerate(members[:size])
        ]
        for n, (department, product_category, product_type, *_) in enumerate(members):
            place = n if n < size else number("item", product_type) % size
            of_type.append((department, product_category, product_type, first + place))
    return Menu(tuple(items), tuple(of_type))


def _make_item(
    index: int, category: str, price: int, rng: random.Random, taken: set[tuple[str, str, str]]
) -> Item:
    while True:
        strain, species = rng.choice(STRAINS) if category != "Accessories" else (None, None)
        brand = rng.choice(BRANDS)
        variant, grams = rng.choice(_VARIANTS[category])
        if strain is not None and category in _STRAIN_NAMED:
            title = strain
        elif category == "Accessories":
            title = f"{rng.choice(_KINDS)} {rng.choice(_NOUNS[category])}"
        else:
            title, strain = f"{rng.choice(FLAVOURS)} {rng.choice(_NOUNS[category])}", None
        if (brand, title, variant) not in taken:
            break
    taken.add((brand, title, variant))
    terpenes: tuple[tuple[str, float], ...] = ()
    if category in ("Flower", "Concentrates"):
        terpenes = tuple(
            (name, round(rng.uniform(0.5, 14), 1)) for name in rng.sample(TERPENES, rng.randint(2, 4))
        )
    thc = 0.0 if category == "Accessories" else round(rng.uniform(14, 31), 1)
    return Item(
        index, category, brand, title, variant, strain, species, float(grams), max(price, 50), thc, terpenes
    )
