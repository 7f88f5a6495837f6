"""The gate's rules once more, in plain Python: slow, with unbounded numbers and no tables.

Every rule is a method that gives the name of its reason where an order breaks it. `ORDER` has them
in the order in which they are asked.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from feedhandler.actions import BUY, SELL, STATUS_TRADING, STATUS_UNKNOWN
from router import tables as t

UNIT = 10**8
MOST = 2**60  # money that can be true
BUCKET = {"second": 62_500_000, "minute": 3_750_000_000}


@dataclass
class World:
    """All that the gate may look at, as fields by name, plain ints."""

    head: Mapping[str, int]
    accounts: list[Mapping[str, int]]
    instruments: list[Mapping[str, int]]
    venues: list[Mapping[str, int]]
    positions: list[list[Mapping[str, int]]]
    children: list[Mapping[str, int]]
    market: dict[str, Any] | None  # records, quotes, instruments: lists of dicts


@dataclass
class Order:
    """A new order, or what a replace would make of its child `was`."""

    account: int
    instrument: int
    venue: int
    side: int
    price: int
    flags: int
    whole: int
    was: Mapping[str, int] | None = None

    @property
    def cum(self) -> int:
        """Shares executed."""
        return self.was["cum"] if self.was else 0

    @property
    def opens(self) -> int:
        """Shares that would be open."""
        return self.whole - self.cum

    @property
    def was_open(self) -> int:
        """Shares that are open of it already."""
        return self.was["leaves"] if self.was else 0

    @property
    def adds_shares(self) -> bool:
        """Whether more would be open than is."""
        return self.opens > self.was_open


@dataclass
class SlowGate:
    """The rules and a memory of all that passed.

    Attributes:
        limits: as in `risk_rig.PLAIN`; None before there are any.
        names: numbers by name, of accounts, venues and symbols.
        seen: how many new orders duplicates are looked for in.
    """

    limits: dict[str, Any] | None
    names: dict[str, dict[str, int]]
    seen: int
    sent: list[tuple[int, int, int, str]] = field(default_factory=list)  # time, account, venue
    last: deque[tuple[Any, ...]] = field(default_factory=deque)

    def judge(self, world: World, intent: Mapping[str, int], now: int) -> str:
        """The name of the verdict."""
        self.world, self.now = world, now
        if intent["kind"] not in (t.ENTER, t.REPLACE, t.CANCEL):
            return "unknown kind"
        child = self._child(intent["child"])
        if intent["kind"] != t.ENTER:
            if child is None or child["leaves"] <= 0:
                return "unknown order"
            if intent["kind"] == t.CANCEL:
                return "passed"
            if child["new_token"]:
                return "replace under way"
        if self.limits is None:
            return "no limits, no trading"
        order = self.order_of(intent, child)
        self.rules: dict[str, Any] = {}
        for rule in ORDER:
            wrong = rule(self, order)
            if wrong:
                return wrong
        return "passed"

    def count(self, world: World, intent: Mapping[str, int], now: int) -> int:
        """Remembers what passed; how many locates it uses."""
        order = self.order_of(intent, self._child(intent["child"]))
        kind = t.INTENT_KINDS[intent["kind"]]
        self.sent.append((now, order.account, order.venue, kind))
        if kind == "enter":
            self.last.append((self._key(order), now))
            while len(self.last) > self.seen:
                self.last.popleft()
        if kind == "cancel" or order.side != SELL or not order.flags & t.SHORT:
            return 0
        return max(order.whole - (order.was["quantity"] if order.was else 0), 0)

    def order_of(self, intent: Mapping[str, int], child: Mapping[str, int] | None) -> Order:
        """What an intent asks for."""
        if intent["kind"] == t.ENTER:
            child = None
        of = child or intent
        own = [of[name] for name in ("account", "instrument", "venue", "side")]
        return Order(*own, intent["price"], of["flags"], intent["quantity"], child)

    def _child(self, number: int) -> Mapping[str, int] | None:
        inside = 1 <= number <= self.world.head["child_count"]
        return self.world.children[number] if inside else None

    def _key(self, order: Order) -> tuple[int, ...]:
        return order.account, order.instrument, order.venue, order.side, order.price, order.whole

    # Rows of the order.

    def _account(self, order: Order) -> Mapping[str, int]:
        return self.world.accounts[order.account]

    def _position(self, order: Order) -> Mapping[str, int]:
        return self.world.positions[order.account][order.instrument]

    def _others(self, order: Order) -> int:
        name = "open_buy" if order.side == BUY else "open_sell"
        return max(self._position(order)[name] - order.was_open, 0)

    def _own(self, order: Order, name: str) -> int:
        assert self.limits is not None
        return int(self.rules.get(name, self.limits["global"].get(name)))

    def _name(self, kind: str, number: int) -> str | None:
        return next((n for n, value in self.names[kind].items() if value == number), None)

    # Rules.

    def numbers(self, order: Order) -> str | None:
        """Rows that are there and have limits."""
        assert self.limits is not None
        if not 1 <= order.account < len(self.world.accounts):
            return "unknown account"
        if not 1 <= order.instrument < len(self.world.instruments):
            return "unknown instrument"
        if not 0 <= order.venue < min(self.world.head["venue_count"], len(self.world.venues)):
            return "unknown venue"
        if order.side not in (BUY, SELL):
            return "unknown side"
        name = self._name("accounts", order.account)
        if name not in self.limits["accounts"]:
            return "account has no limits"
        self.rules = self.limits["accounts"][name]
        if self._name("venues", order.venue) not in self.limits["venues"]:
            return "venue has no limits"
        return None

    def figures(self, order: Order) -> str | None:
        """Figures that can be true."""
        account, position, was = self._account(order), self._position(order), order.was or {}
        bounds = [(account[n], 0, MOST) for n in ("gross", "open_buy", "open_sell")]
        bounds += [(account[n], -MOST, MOST) for n in ("net", "spent")]
        bounds += [(position[n], 0, 2**40) for n in ("open_buy", "open_sell")]
        bounds += [(position["shares"], -(2**40), 2**40)]
        bounds += [(was[n], 0, 2**31 - 1) for n in ("cum", "quantity", "leaves") if was]
        bounds += [(was["price"], 0, 4_000_000 * UNIT)] if was else []
        good = all(low <= value <= high for value, low, high in bounds)
        return None if good else "figures out of range"

    def switches(self, order: Order) -> str | None:
        """Kill switches and venues that are down."""
        down = self.world.venues[order.venue]["down"]
        said = [
            (self.world.head["killed"], "killed"),
            (self._account(order)["killed"], "account killed"),
            (self.world.instruments[order.instrument]["killed"], "instrument killed"),
            (down & t.DOWN_KILLED, "venue killed"),
            (down, "venue down"),
        ]
        return next((name for on, name in said if on), None)

    def open_for_trading(self, order: Order) -> str | None:
        """Halts, and books that cannot be believed."""
        market, quotes = self.world.market, self.world.venues[order.venue]["quotes"]
        if market is None or order.instrument >= len(market["records"]):
            return "no market data"
        if quotes >= len(market["quotes"][0]):
            return "no market data"
        if market["records"][order.instrument]["flags"] & 16:
            return "market halted"
        if quotes >= 0:
            quote = market["quotes"][order.instrument][quotes]
            fine = [STATUS_TRADING] + ([STATUS_UNKNOWN] if market["unknown_trades"] else [])
            if quote["status"] not in fine:
                return "venue not trading"
            if quote["trust"] != 0:
                return "book not live"
        return None

    def restricted(self, order: Order) -> str | None:
        """The restricted list."""
        on = self.world.instruments[order.instrument]["restricted"]
        return "restricted" if on else None

    def size(self, order: Order) -> str | None:
        """Shares."""
        venue = self.world.venues[order.venue]
        if order.opens <= 0:
            return "quantity not positive"
        if order.whole >= 2**31:
            return "quantity too large"
        if order.whole > self._own(order, "order_shares"):
            return "order size"
        lots = venue["lot"] > 0 and order.whole % venue["lot"] == 0
        return None if lots and order.whole >= venue["least"] else "lot"

    def tick(self, order: Order) -> str | None:
        """Steps of prices."""
        if not 0 <= order.price <= 4_000_000 * UNIT:
            return "price out of range"
        step = self.world.venues[order.venue]["tick" if order.price >= UNIT else "small_tick"]
        if order.price and (step <= 0 or order.price % step):
            return "tick"
        return None

    def _price(self, value: int) -> int | None:
        return value if 0 < value <= 4_000_000 * UNIT else None

    def _national(self, order: Order, side: str) -> int | None:
        assert self.world.market is not None
        record = self.world.market["records"][order.instrument]
        shown = record[f"national_{side}_quantity"] > 0
        return self._price(record[f"national_{side}"]) if shown else None

    def _far_near(self, order: Order) -> tuple[int | None, int | None]:
        sides = ("offer", "bid") if order.side == BUY else ("bid", "offer")
        return self._national(order, sides[0]), self._national(order, sides[1])

    def _last(self, order: Order) -> int | None:
        return self._price(self.world.instruments[order.instrument]["last"])

    def collars(self, order: Order) -> str | None:
        """Prices not much worse than what is seen."""
        assert self.world.market is not None
        far, near = self._far_near(order)
        last = self._last(order)
        if far is None and near is None and last is None:
            return "no reference price"
        if order.price == 0:
            return None
        sign = 1 if order.side == BUY else -1
        for base, limit, reason in (
            (far or near, "collar_bps", "price collar"),
            (last, "last_bps", "last trade collar"),
        ):
            if base is not None:
                worse = Fraction(sign * (order.price - base), base)
                if worse > Fraction(self._own(order, limit), 10_000):
                    return reason
        bands = self.world.market["instruments"][order.instrument]
        if order.side == BUY:
            wrong = bands["upper_band"] > 0 and order.price > bands["upper_band"]
        else:
            wrong = bands["lower_band"] > 0 and order.price < bands["lower_band"]
        return "price band" if wrong else None

    def _money(self, order: Order) -> int:
        """Money of what would be open."""
        price = order.price
        if price == 0:
            far, near = self._far_near(order)
            base = far or self._last(order) or near
            assert base is not None
            exact = Fraction(base * (10_000 + self._own(order, "collar_bps")), 10_000)
            price = -(-exact.numerator // exact.denominator)
        return price * order.opens

    def notional(self, order: Order) -> str | None:
        """Money of the order."""
        limit = self._own(order, "order_notional") * UNIT
        return "order notional" if self._money(order) > limit else None

    def short(self, order: Order) -> str | None:
        """Sales of what is not owned."""
        row = self.world.instruments[order.instrument]
        if order.side == BUY:
            return None
        free = self._position(order)["shares"] - self._others(order)
        if not order.flags & t.SHORT:
            return "short not flagged" if order.opens > free else None
        if not order.flags & t.LOCATED:
            return "not located"
        more = order.whole - (order.was["quantity"] if order.was else 0)
        if more > 0 and more > row["locates"] - row["locates_used"]:
            return "no locates left"
        if row["price_test"] == 0 or order.flags & t.SHORT_EXEMPT:
            return None
        bid, offer = self._national(order, "bid"), self._national(order, "offer")
        if bid is None:
            return "short sale price test"
        price = order.price
        if order.flags & t.MIDPOINT and offer is not None:
            price = max(price, (bid + offer) // 2)
        return "short sale price test" if price <= bid else None

    def self_trade(self, order: Order) -> str | None:
        """Open orders of the group on the other side."""
        assert self.limits is not None
        group = self.rules.get("group")
        family = {order.account}
        for name, rules in self.limits["accounts"].items():
            if group is not None and rules.get("group") == group:
                family.add(self.names["accounts"][name])
        for account in family:
            number = self.world.positions[account][order.instrument]["first_open"]
            while number:
                child = self.world.children[number]
                prices = [child["price"]] + ([child["new_price"]] if child["new_token"] else [])
                if child["side"] != order.side and child["leaves"] > 0:
                    for price in prices:
                        if self._would_meet(order, price):
                            return "self-trade"
                number = child["next_open"]
        return None

    def _would_meet(self, order: Order, price: int) -> bool:
        gap = order.price - price if order.side == BUY else price - order.price
        return order.price == 0 or price == 0 or gap >= 0

    def duplicate(self, order: Order) -> str | None:
        """The same order again."""
        window = self._own(order, "duplicate_ms") * 10**6
        if order.was or not window:
            return None
        same = [time for key, time in self.last if key == self._key(order)]
        return "duplicate order" if any(self.now - time < window for time in same) else None

    def _reduces(self, order: Order) -> bool:
        shares = self._position(order)["shares"]
        held = -shares if order.side == BUY else shares
        return order.opens + self._others(order) <= held

    def exposure(self, order: Order) -> str | None:
        """What could come to be held, owed and lost."""
        if order.flags & t.CLOSES and self._reduces(order):
            return None
        return (
            self._position_limit(order)
            or self._sums(order)
            or (self._loss(order) if order.adds_shares else None)
            or self._all_accounts(order)
        )

    def _position_limit(self, order: Order) -> str | None:
        assert self.limits is not None
        said = [self._own(order, "position_shares")]
        for row in self.limits["symbols"]:
            mine = self.names["accounts"].get(row.get("account", "")) in (None, order.account)
            if mine and self.names["symbols"][row["symbol"]] == order.instrument:
                said.append(row["position_shares"])
        shares = self._position(order)["shares"]
        held = shares if order.side == BUY else -shares
        worst = held + self._others(order) + order.opens
        return "position limit" if order.adds_shares and worst > min(said) else None

    def _added(self, order: Order) -> int:
        was = order.was["leaves"] * order.was["price"] if order.was else 0
        return self._money(order) - (was if was <= MOST else 0)

    def _sums(self, order: Order) -> str | None:
        row, added = self._account(order), self._added(order)
        buys, both = order.side == BUY, row["open_buy"] + row["open_sell"]
        if added <= 0:
            return None
        net = row["net"] + row["open_buy"] if buys else row["open_sell"] - row["net"]
        checks = [
            ("gross", row["gross"] + both, "gross exposure", not self._reduces(order)),
            ("net", net, "net exposure", True),
            ("capital", max(row["spent"], 0) + row["open_buy"], "buying power", buys),
            ("credit", abs(row["spent"]) + both, "credit", True),
        ]
        for name, used, reason, counts in checks:
            if counts and used + added > self._own(order, name) * UNIT:
                return reason
        return None

    def _loss(self, order: Order) -> str | None:
        row = self._account(order)
        lost = row["spent"] - row["net"]
        return "daily loss" if lost > self.rules["loss"] * UNIT else None

    def _all_accounts(self, order: Order) -> str | None:
        assert self.limits is not None
        rows, top = self.world.accounts[1:], self.limits["global"]
        held = ("gross", "open_buy", "open_sell")
        gross = min(sum(max(0, min(MOST, row[n])) for row in rows for n in held), 4 * MOST)
        loss = 0
        for row in rows:
            spent, net = (max(-MOST, min(MOST, row[n])) for n in ("spent", "net"))
            loss = max(-4 * MOST, min(4 * MOST, loss + spent - net))
        added = self._added(order)
        if added > 0 and gross + added > top["gross"] * UNIT and not self._reduces(order):
            return "gross exposure of all"
        if order.adds_shares and loss > top["loss"] * UNIT:
            return "daily loss of all"
        return None

    def _sent(self, span: str, kinds: str, **match: int) -> int:
        first = self.now // BUCKET[span] - 16
        return sum(
            kind in kinds.split()
            and time // BUCKET[span] >= first
            and match.get("account", account) == account
            and match.get("venue", venue) == venue
            for time, account, venue, kind in self.sent
        )

    def pace(self, order: Order) -> str | None:
        """How many, and how fast."""
        assert self.limits is not None
        top, venue = self.limits["global"], self._name("venues", order.venue)
        if order.was is None:
            if self._account(order)["open_orders"] >= self.rules["open_orders"]:
                return "open orders"
            if self.world.head["open_count"] >= top["open_orders"]:
                return "open orders of all"
        if (
            self._sent("second", "enter replace", account=order.account)
            >= self.rules["orders_per_second"]
        ):
            return "account order rate"
        most = self.limits["venues"][venue]["orders_per_second"]
        if self._sent("second", "enter replace", venue=order.venue) >= most:
            return "venue order rate"
        if self._sent("second", "enter replace") >= top["orders_per_second"]:
            return "order rate of all"
        return None

    def cancel_ratio(self, order: Order) -> str | None:
        """Cancels beside new orders."""
        orders = self._sent("minute", "enter", account=order.account)
        cancels = self._sent("minute", "cancel", account=order.account)
        if order.was or orders == 0 or orders < self.rules["cancel_from"]:
            return None
        most = Fraction(self.rules["cancel_percent"], 100)
        return "cancel ratio" if Fraction(cancels, orders) > most else None


ORDER: list[Callable[[SlowGate, Order], str | None]] = [
    SlowGate.numbers, SlowGate.figures, SlowGate.switches, SlowGate.open_for_trading,
    SlowGate.restricted, SlowGate.size, SlowGate.tick, SlowGate.collars, SlowGate.notional,
    SlowGate.short, SlowGate.self_trade, SlowGate.duplicate, SlowGate.exposure, SlowGate.pace,
    SlowGate.cancel_ratio,
]  # fmt: skip
