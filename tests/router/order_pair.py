"""The kernels of order state and their slow model, taking the same steps, compared at each."""

from __future__ import annotations

from typing import Any

from order_rig import BUY, CHILD_LOG, DOLLAR, FILL_LOG, PARENT_LOG, RATES, SELL, OrderRig, event_of
from slow_order_rows import OVER, SlowChild, SlowParent
from slow_orders import SlowOrders, Tiers

from router.orders.states import STATES
from router.tablespace import Sizes

OF_CHILDREN = ("ack", "replace", "cancel", "answer", "event", "say")
LAST = 9 * DOLLAR


def rates(base: int) -> dict[int, tuple[int, int]]:
    """Rates by liquidity, all different, rebates among them."""
    return {n: ((base + n) * (-1) ** n * 1001, (base - n) * 13) for n in range(1, 6)}


TIERS: dict[int, Tiers] = {
    1: [(0, rates(300)), (60, rates(200)), (140, rates(100))],
    2: [(0, rates(50))],
}
PARENTS = {1: (200, BUY, 1), 2: (150, SELL, 1), 3: (100, BUY, 2)}


class Pair:
    """The kernels and the model; `take` takes a step on both, `compare` says where they differ.

    Steps are words: what, then its arguments, see the methods of that name.
    """

    def __init__(self, children: int, tokens: int, slots: int) -> None:
        sizes = Sizes(
            accounts=2,
            venues=3,
            instruments=2,
            parents=4,
            children=children,
            tokens=tokens,
            intents=8,
            timers=8,
            executions=slots,
            log_lines=4096,
        )
        self.rig = OrderRig(sizes)
        self.slow = SlowOrders(TIERS, LAST, children, tokens, slots)
        self.ended: dict[int, str] = {}
        self.log: dict[int, list[Any]] = {CHILD_LOG: [], FILL_LOG: [], PARENT_LOG: []}
        self.rig.tables.instruments["last"] = LAST
        for venue, tiers in TIERS.items():
            for number, (least, by) in enumerate(tiers):
                named = {name: by[n] for n, name in enumerate(RATES, 1)}
                self.rig.tier(venue, number, least, **named)
        for number, (quantity, side, instrument) in PARENTS.items():
            self.rig.start(number, quantity, side, instrument=instrument)
            self.slow.parents[number] = SlowParent(quantity)

    def take(self, what: str, *words: Any) -> None:
        """One step on both; what they give back is the same."""
        number = int(words[0]) if what in OF_CHILDREN else 0
        if number > len(self.slow.children):
            return
        getattr(self, f"_{what}")(*words)

    def _order(self, parent: int, quantity: int, price: int, venue: int, tif: int) -> None:
        _, side, instrument = PARENTS.get(parent, (0, SELL, 1))
        fields = {"parent": parent, "venue": venue, "side": side, "instrument": instrument}
        ours = self.rig.enter(quantity, price, tif=tif, **fields)
        theirs = self.slow.order(parent, instrument, 1, venue, side, quantity, price, tif)
        assert ours == theirs

    def _replace(self, child: int, quantity: int, price: int) -> None:
        assert self.rig.replace(child, quantity, price) == self.slow.ask_replace(
            child, quantity, price
        )

    def _cancel(self, child: int) -> None:
        assert self.rig.cancel(child) == self.slow.ask_cancel(child)

    def _ack(self, child: int) -> None:
        self._hear("accepted", self.slow.children[child - 1].token, 0, 0, 7, 0)

    def _answer(self, child: int, granted: bool) -> None:
        """A fitting answer to what is pending."""
        of = self.slow.children[child - 1]
        if of.replace is not None:
            kind = "replaced" if granted else "rejected"
            self._hear(kind, of.replace[0], 0, 0, of.token, 0)
        elif of.state == "pending cancel":
            self._hear("canceled" if granted else "cancel_rejected", of.token, 0, 0, 1, 0)

    def _say(self, child: int, named: str, *words: Any) -> None:
        """A report that names the child's token, the one it asked for, or an older one."""
        of = self.slow.children[child - 1]
        old = [token for token, owner in self.slow.tokens.items() if owner is of]
        new = of.replace[0] if of.replace else 0
        token = {"token": of.token, "new": new, "old": old[0], "none": 1 << 40}[named]
        kind, quantity, price, aux, unit = words
        if kind in ("bust", "correction") and of.fills and aux % 4:
            aux = of.fills[aux % len(of.fills)].execution
        self._hear(kind, token, quantity, price, aux, unit)

    def _hear(self, kind: str, token: int, quantity: int, price: int, aux: int, unit: int) -> None:
        fields = {"quantity": quantity, "price": price, "aux": aux, "unit": unit}
        said = kind
        if kind == "bust":
            said = "break"
        elif kind == "correction":
            said, fields["flags"] = "break", 8192
        ours = self.rig.say(said, token, **fields)
        assert ours == self.slow.hear(kind, token, quantity, price, aux, unit)

    def _event(self, child: int, name: str) -> None:
        assert self.rig.event(child, name) == self.slow.child_event(child, name)

    def _end(self, parent: int, name: str) -> None:
        ours = self.rig.orders.parent_event(parent, event_of(name), 3, self.rig.tick())
        assert ours == self.slow.parent_event(parent, name)

    def _change(self, parent: int, quantity: int) -> None:
        ours = self.rig.orders.replace_parent(parent, quantity, 0, self.rig.tick())
        assert ours == self.slow.replace_parent(parent, quantity)

    def _mark(self, instrument: int, price: int) -> None:
        if price:
            position = self.slow.position(1, instrument)
            self.slow.mark(1, instrument, price)
            gain = position.shares * price - position.cost
            assert self.rig.orders.mark(1, instrument, price) == gain

    # Both are the same.

    def compare(self) -> None:
        """Everything that can be seen."""
        for child in self.slow.children:
            self._compare_child(child)
        for number in PARENTS:
            self._compare_parent(number)
        self._compare_account()
        head = self.rig.tables.head
        for name, value in self.slow.counts.items():
            assert (name, int(head[f"{name}_count"])) == (name, value)
        assert int(head["open_count"]) == sum(not child.over for child in self.slow.children)
        for venue in TIERS:
            self._compare_venue(venue)

    def _compare_child(self, child: SlowChild) -> None:
        row = self.rig.tables.children[child.number]
        names = ("token", "quantity", "price", "cum", "leaves", "busted", "notional", "fees")
        notional = sum(fill.shares * fill.price for fill in child.live)
        fees = sum(fill.fee for fill in child.live)
        theirs = (child.token, child.quantity, child.price, child.cum, child.leaves, child.busted)
        assert self.rig.state(child.number) == child.state
        assert tuple(int(row[name]) for name in names) == (*theirs, notional, fees)
        assert set(self.rig.marks(child.number).split(", ")) - {""} == child.marks
        assert int(row["new_token"]) == (child.replace[0] if child.replace else 0)
        assert child.leaves >= 0
        if child.over:
            assert self.ended.setdefault(child.number, child.state) == child.state
        else:
            assert child.leaves == child.quantity - child.cum - child.busted > 0
            assert child.number not in self.ended

    def _compare_parent(self, number: int) -> None:
        row, parent = self.rig.tables.parents[number], self.slow.parents[number]
        ours = [child for child in self.slow.children if child.parent == number]
        fills = [fill for child in ours for fill in child.live]
        names = ("quantity", "cum", "notional", "fees", "open", "open_children", "children")
        theirs = (
            parent.quantity,
            sum(fill.shares for fill in fills),
            sum(fill.shares * fill.price for fill in fills),
            sum(fill.fee for fill in fills),
            sum(child.reserved()[0] for child in ours),
            sum(not child.over for child in ours),
            len(ours),
        )
        assert self.rig.parent(number) == parent.state
        assert tuple(int(row[name]) for name in names) == theirs
        chain = self._chain(int(row["first_open"]), "next_sibling")
        assert chain == [child.number for child in self.slow.open_of(number)]

    def _chain(self, first: int, following: str) -> list[int]:
        found = []
        while first:
            found.append(first)
            first = int(self.rig.tables.children[first][following])
        return found

    def _compare_account(self) -> None:
        gross = net = spent = 0
        realised = 0
        for instrument in (1, 2):
            row = self.rig.tables.positions[1, instrument]
            ours, mark = self.slow.position(1, instrument), self.slow.marks.get((1, instrument), 0)
            children = [c for c in self.slow.children if c.instrument == instrument]
            fees = sum(fill.fee for child in children for fill in child.live)
            sides = [[c for c in children if c.side == side] for side in (BUY, SELL)]
            done = [sum(c.cum for c in side) for side in sides]
            held = [sum(c.reserved()[0] for c in side) for side in sides]
            names = (
                "shares",
                "cost",
                "realised",
                "fees",
                "bought",
                "sold",
                "open_buy",
                "open_sell",
            )
            theirs = (ours.shares, ours.cost, ours.realised, fees, *done, *held)
            assert tuple(int(row[name]) for name in names) == theirs
            cash = sum(-t[2] * t[3] * t[4] for t in self.slow.trades if t[1] == instrument)
            assert ours.realised + ours.shares * mark - ours.cost == cash + ours.shares * mark
            chain = self._chain(int(row["first_open"]), "next_open")
            assert chain == [child.number for child in self.slow.open_in(1, instrument)]
            gross, net = gross + abs(ours.shares * mark), net + ours.shares * mark
            spent, realised = spent + fees - cash, realised + ours.realised
        self._compare_sums(gross, net, spent, realised)

    def _compare_sums(self, gross: int, net: int, spent: int, realised: int) -> None:
        row = self.rig.tables.accounts[1]
        assert (int(row["gross"]), int(row["net"])) == (gross, net)
        assert (int(row["spent"]), int(row["realised"])) == (spent, realised)
        for side, name in ((BUY, "open_buy"), (SELL, "open_sell")):
            money = sum(c.reserved()[1] for c in self.slow.children if c.side == side)
            assert int(row[name]) == money
        unrealised = self.rig.orders.unrealised_of(1)
        assert unrealised + realised - int(row["fees"]) == net - spent

    def _compare_venue(self, venue: int) -> None:
        row = self.rig.tables.venues[venue]
        children = [child for child in self.slow.children if child.venue == venue]
        fees = sum(fill.fee for child in children for fill in child.live)
        theirs = (self.slow.executed_at(venue), fees, self.slow.tier(venue))
        assert (int(row["executed"]), int(row["fees"]), int(row["tier"])) == theirs
        assert int(row["open_orders"]) == sum(not child.over for child in children)

    def finish(self) -> None:
        """Ends all children: nothing is reserved; the log tells the same story."""
        for child in list(self.slow.children):
            if not child.over:
                self._event(child.number, "expired")
        self.compare()
        account, positions = self.rig.tables.accounts[1], self.rig.tables.positions[1]
        for side in ("open_buy", "open_sell"):
            assert not account[side] and not positions[side].any()
        assert not self.rig.tables.parents["open"].any()
        self._compare_log()

    def _compare_log(self) -> None:
        for record in self.rig.tables.log.read():
            self.log[record.kind].append(record.words)
        for child in self.slow.children:
            fills = [words for words in self.log[FILL_LOG] if words[0] == child.number]
            assert sum(words[1] for words in fills) == child.cum
            last = [words for words in self.log[CHILD_LOG] if words[0] == child.number][-1]
            assert STATES[last[2] & 255] == child.state in OVER
        for number in PARENTS:
            last = [words for words in self.log[PARENT_LOG] if words[0] == number][-1]
            assert STATES[last[2] & 255] == self.slow.parents[number].state
