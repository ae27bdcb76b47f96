"""An order as the API writes it."""

from dataclasses import dataclass
from functools import cache

import msgspec

from sandbox.credentials import FLOWHUB_CLIENT_ID
from sandbox.flowhub.batches import Batch, batch, batch_number
from sandbox.flowhub.switches import FlowhubSwitches
from sandbox.flowhub.till_order import GIVEN_UP, TillLine, TillOrder
from sandbox.world.accounts import CustomerRecord
from sandbox.world.ids import iso_ms, number, uid
from sandbox.world.menu import Item
from sandbox.world.orders import CANCELED, DELIVERY, NOBODY, TYPE_NAMES
from sandbox.world.stores import Store
from sandbox.world.words import BUDTENDERS

REC_TAX_PERCENT = 15.0
MED_TAX_PERCENT = 2.9
COST_SHARE = 0.45

Amount = float | int


class Tax(msgspec.Struct, rename="camel"):
    """A tax on a line; the amount is in cents whatever the unit of the other amounts."""

    id_: str = msgspec.field(name="_id")
    name: str
    percentage: float
    calculate_before_discounts: str
    supplier_specific_tax: bool
    exclude_customer_groups: list[str]
    enable_cost_markup: bool
    markup_percentage: int
    this_tax_in_pennies: int
    applies_to: str


class Discount(msgspec.Struct, rename="camel"):
    """A discount on a line."""

    id_: str = msgspec.field(name="_id")
    name: str
    type_: str = msgspec.field(name="type")
    discount_amount: Amount
    discount_type: str
    discount_id: str
    dollars_off: float
    pennies_off: int
    percent_off: int
    discounter_name: str
    discounter_id: str
    is_cart_discount: bool
    coupon_code: str
    quantity: int


class Line(msgspec.Struct, rename="camel"):
    """A line of ``itemsInCart``."""

    id_: str = msgspec.field(name="id")
    category: str
    type_: str | None = msgspec.field(name="type")
    brand: str
    product_id: str
    parent_product_id: str
    variant_id: str
    product_name: str
    title1: str
    title2: str
    strain_name: str | None
    sku: str
    quantity: int
    unit_of_weight: str
    unit_price: Amount
    unit_cost: Amount
    total_price: Amount
    total_cost: Amount
    total_discounts: Amount
    tax: list[Tax]
    item_discounts: list[Discount]


class Payment(msgspec.Struct, rename="camel"):
    """A payment."""

    id_: str = msgspec.field(name="_id")
    payment_type: str
    amount: Amount
    card_id: str
    loyalty_points: int
    debit_provider: str
    balance_after_payment: int


class OrderHead(msgspec.Struct):
    """The columns of one order, and what time has made of it."""

    order_no: int
    created: int
    completed: int
    is_voided: bool
    is_pending: bool
    status: int
    kind: int
    budtender: int
    points: int
    refund_of: int


class LineColumns(msgspec.Struct):
    """The columns of one line, money in cents."""

    item: int
    quantity: int
    price: int
    discount: int
    coupon: int


def order_id(order_no: int) -> str:
    """Return Flowhub's id of an order."""
    return uid("order", order_no)


@dataclass(frozen=True)
class OrderWriter:
    """Writes orders of a menu under the switches: the same columns and switches give the same bytes."""

    menu: list[Item]
    switches: FlowhubSwitches

    def body(
        self, head: OrderHead, lines: list[LineColumns], store: Store, customer: CustomerRecord | None
    ) -> dict[str, object]:
        """Return the order object."""
        medical = customer is not None and customer.kind == "medCustomer"
        percent = MED_TAX_PERCENT if medical else REC_TAX_PERCENT
        price = sum(line.price for line in lines)
        discounts = sum(line.discount + line.coupon for line in lines)
        taxes = sum(_tax_cents(line, percent) for line in lines)
        final = price - discounts + taxes
        status = "pending" if head.is_pending else "cancelled" if head.status == CANCELED else "sold"
        name = customer.name if customer else ""
        body: dict[str, object] = {
            "id": order_id(head.order_no),
            "orderId": order_id(head.order_no),
            "clientId": FLOWHUB_CLIENT_ID,
            "locationId": store.location_id,
            "integratorId": "",
            "createdAt": iso_ms(head.created),
            "completedOn": iso_ms(head.completed) if status == "sold" else None,
            "orderStatus": status.capitalize() if self.switches.status_case == "capital" else status,
            "voided": head.is_voided,
            "orderType": TYPE_NAMES[head.kind],
            "originalSaleId": order_id(head.refund_of) if head.refund_of else "",
            "customerId": customer.account_id if customer else None,
            "customerType": customer.kind if customer else "recCustomer",
            "name": name,
            "fullName": name,
            "currentPoints": head.points,
        }
        if head.budtender != NOBODY:
            body["budtender"] = BUDTENDERS[head.budtender]
            body["budtenderId"] = f"bt-{store.index}-{head.budtender}"
        body["itemsInCart"] = [
            self._line(f"li-{head.order_no}-{place}", line, store.index, head.created, percent)
            for place, line in enumerate(lines, start=1)
        ]
        paid = "debit" if head.kind == DELIVERY or head.order_no % 3 == 0 else "cash"
        payment = Payment(f"pay-{head.order_no}", paid, self._amount(final), "", 0, "", 0)
        body["payments"] = [payment] if status == "sold" else []
        body["totals"] = self._totals(final, price, discounts, taxes)
        return body

    def till_body(self, order: TillOrder, store: Store, customer: CustomerRecord | None) -> dict[str, object]:
        """Return the order object of a pushed order."""
        price = sum(line.price for line in order.lines)
        taxes = round(price * REC_TAX_PERCENT / 100)
        final = price + taxes + order.fees
        status = "sold" if order.status == "sold" else "cancelled" if order.status in GIVEN_UP else "pending"
        name = customer.name if customer else ""
        return {
            "id": order.order_id,
            "orderId": order.order_id,
            "clientId": FLOWHUB_CLIENT_ID,
            "locationId": store.location_id,
            "integratorId": "order-ahead",
            "createdAt": iso_ms(order.created),
            "completedOn": iso_ms(order.closed) if status == "sold" else None,
            "orderStatus": status.capitalize() if self.switches.status_case == "capital" else status,
            "voided": False,
            "orderType": order.kind,
            "originalSaleId": "",
            "customerId": customer.account_id if customer else None,
            "customerType": customer.kind if customer else "recCustomer",
            "name": name,
            "fullName": name,
            "currentPoints": 0,
            "itemsInCart": [
                self._till_line(f"{order.order_id}-{place}", line, store.index)
                for place, line in enumerate(order.lines, start=1)
            ],
            "payments": [],
            "totals": self._totals(final, price, 0, taxes) | self._fees(order.fees),
        }

    def _till_line(self, identity: str, line: TillLine, store: int) -> Line:
        item = self.menu[line.item]
        columns = LineColumns(line.item, line.quantity, line.price, 0, 0)
        delivery = Batch(line.product_id, line.sku, "", 0, 0.0, on_sale=False)
        return self._written(identity, columns, item, delivery, store, REC_TAX_PERCENT)

    def _fees(self, cents: int) -> dict[str, Amount]:
        return {"TotalFees" if self.switches.totals_case == "pascal" else "totalFees": self._amount(cents)}

    def _amount(self, cents: int) -> Amount:
        return cents if self.switches.order_amount_unit == "cents" else cents / 100

    def _totals(self, final: int, price: int, discounts: int, taxes: int) -> dict[str, Amount]:
        totals = {
            "finalTotal": self._amount(final),
            "subTotal": self._amount(price),
            "totalDiscounts": self._amount(discounts),
            "totalFees": 0,
            "totalTaxes": self._amount(taxes),
        }
        if self.switches.totals_case == "pascal":
            return {key[0].upper() + key[1:]: value for key, value in totals.items()}
        return totals

    def _line(self, identity: str, line: LineColumns, store: int, at: int, percent: float) -> Line:
        item = self.menu[line.item]
        delivery = batch(store, line.item, batch_number(store, line.item, at))
        return self._written(identity, line, item, delivery, store, percent)

    def _written(  # noqa: PLR0913, PLR0917 - what a line is made of
        self, identity: str, line: LineColumns, item: Item, delivery: Batch, store: int, percent: float
    ) -> Line:
        unit = line.price // line.quantity
        return Line(
            id_=identity,
            category=item.category,
            type_=item.species,
            brand=item.brand,
            product_id=delivery.product_id,
            parent_product_id=parent_id(store, item.index),
            variant_id=variant_id(item.index),
            product_name=item.name,
            title1=item.title,
            title2=item.variant,
            strain_name=item.strain,
            sku=delivery.sku,
            quantity=line.quantity,
            unit_of_weight="grams" if item.grams else "each",
            unit_price=self._amount(unit),
            unit_cost=self._amount(int(unit * COST_SHARE)),
            total_price=self._amount(line.price),
            total_cost=self._amount(int(line.price * COST_SHARE)),
            total_discounts=self._amount(line.discount + line.coupon),
            tax=[_tax(percent, _tax_cents(line, percent), medical=percent == MED_TAX_PERCENT)],
            item_discounts=_discounts(line, self._amount(line.discount), self._amount(line.coupon)),
        )


@cache
def parent_id(store: int, item: int) -> str:
    """Return the id of an item's parent product; it outlives batches."""
    return uid("parent", store, item)


@cache
def variant_id(item: int) -> str:
    """Return the id of an item's variant; the same at every store."""
    return f"v-{number('variant', item) % 10**9:09d}"


def _tax_cents(line: LineColumns, percent: float) -> int:
    return round((line.price - line.discount - line.coupon) * percent / 100)


def _tax(percent: float, cents: int, *, medical: bool) -> Tax:
    return Tax(
        id_="t-med" if medical else "t-rec",
        name="State",
        percentage=percent,
        calculate_before_discounts="false",
        supplier_specific_tax=False,
        exclude_customer_groups=[],
        enable_cost_markup=False,
        markup_percentage=0,
        this_tax_in_pennies=cents,
        applies_to="med" if medical else "rec",
    )


def _discounts(line: LineColumns, loyalty: Amount, coupon: Amount) -> list[Discount]:
    found = []
    if line.discount:
        found.append(_discount(line, "Member price", loyalty, line.discount, ""))
    if line.coupon:
        found.append(_discount(line, "Coupon", coupon, line.coupon, f"MFR-{line.item:04d}"))
    return found


def _discount(line: LineColumns, name: str, amount: Amount, cents: int, code: str) -> Discount:
    return Discount(
        id_=f"d-{name[0].lower()}-{line.item}",
        name=name,
        type_="amount",
        discount_amount=amount,
        discount_type="amount",
        discount_id=f"dd-{name[0].lower()}",
        dollars_off=cents / 100,
        pennies_off=cents,
        percent_off=0,
        discounter_name="System",
        discounter_id="",
        is_cart_discount=False,
        coupon_code=code,
        quantity=abs(line.quantity),
    )
