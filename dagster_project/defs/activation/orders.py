"""What is pushed into the till."""

from typing import Any

import dagster as dg

from dagster_project.lib.dbt import model_key
from dagster_project.lib.failures import acted_on_by_people
from dagster_project.lib.keys import ORDERS_PUSHED
from dagster_project.lib.orders import refused_orders
from perennial.home import Home
from perennial.settings import load_settings
from reverse_etl.push import push
from warehouse.order_stock import Deed, set_stock


@dg.asset(
    key=ORDERS_PUSHED,
    deps=[model_key("order_pushes")],
    description="Confirmed e-commerce orders pushed into Flowhub, each at most once (FLOWHUB_SYNC_ORDERS).",
    group_name="activation",
    kinds={"flowhub"},
)
def orders_pushed(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Push what the landed decisions ask for; say what was refused, by store, channel and reason."""
    settings = load_settings()
    with acted_on_by_people():
        report = push(settings, destinations=["flowhub"], on_progress=context.log.info)
    counts = report.by_destination.get("flowhub", {})
    refused = refused_orders(Home(settings.home))
    if reason := report.stopped.get("flowhub"):
        # what is left stays in the ledger; the next push goes on there
        raise dg.Failure(f"the push of orders stopped: {reason}", allow_retries=False)
    return dg.MaterializeResult(
        metadata={
            **dict.fromkeys(("accepted", "rejected", "ambiguous", "held", "exited", "pending"), 0),
            **counts,
            "sent": report.sent,
            "refused": sum(row["orders"] for row in refused),
            "refused_by_store_and_channel": _json(refused),
            "seconds": round(report.seconds, 3),
            "receipts_landed": report.receipts_landed,
        }
    )


@dg.asset_check(
    asset=model_key("order_pushes"),
    name="confirmed_orders_reach_the_till",
    description="No confirmed order is refused for something that the store can mend; otherwise says what, and where.",
)
def confirmed_orders_reach_the_till() -> dg.AssetCheckResult:
    """Warn of orders that lack a contact, lines, a known product or a known store."""
    refused = refused_orders(Home(load_settings().home), only_mendable=True)
    told = {row["reason"]: row["sentence"] for row in refused}
    return dg.AssetCheckResult(
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"refused": _json(refused)},
        description=" ".join(told.values()) or None,
    )


class OrderStock(dg.Config):
    """Whose stock, and what is done to it: ``hold`` pins it, ``release`` frees it."""

    order: str
    deed: str = "hold"


@dg.op
def set_order_stock(context: dg.OpExecutionContext, config: OrderStock) -> None:
    """Pin or free the stock of one order by hand, as ``perennial order`` does."""
    deeds: dict[str, Deed] = {"hold": "hold", "release": "release"}
    if config.deed not in deeds:
        raise dg.Failure(f"deed: {config.deed} is neither hold nor release", allow_retries=False)
    with acted_on_by_people():
        order_id = set_stock(load_settings(), deeds[config.deed], config.order)
    context.log.info("%s: %s landed; the next build takes it up", order_id, config.deed)


@dg.job(
    description="Pin (hold) or free (release) the stock of one order by hand: give its id in the launchpad."
)
def order_stock() -> None:
    """Land an operator's word about one order."""
    set_order_stock()


def _json(rows: list[dict[str, Any]]) -> dg.MetadataValue[Any]:
    return dg.MetadataValue.json([{k: v for k, v in row.items() if k != "sentence"} for row in rows])
