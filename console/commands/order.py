"""``perennial order``: pin or free the stock of an e-commerce order by hand."""

from typing import TYPE_CHECKING, Annotated

import typer

from console.homes import own_home
from console.output import out
from perennial.settings import load_settings

if TYPE_CHECKING:
    from warehouse.order_stock import Deed

OrderId = Annotated[str, typer.Argument(help="Jane's cart id, or the till's order id.", metavar="ID")]

app = typer.Typer(no_args_is_help=True, help="Pin or free the stock of an e-commerce order by hand.")


@app.command()
def hold(order: OrderId) -> None:
    """Keep the order's stock off the shelves until it is released by hand, whatever becomes of the order."""
    _set("hold", order)


@app.command()
def release(order: OrderId) -> None:
    """Leave the order's stock to the till's own count."""
    _set("release", order)


def _set(deed: "Deed", order: str) -> None:
    from warehouse.order_stock import set_stock

    settings = load_settings()
    own_home(settings)
    order_id = set_stock(settings, deed, order)
    said = "pinned" if deed == "hold" else "released"
    out.print(f"{order_id}: {said}; the next build takes it up (perennial worker: at once).")
