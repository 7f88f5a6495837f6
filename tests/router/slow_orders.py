"""Order state once more in plain Python, as a judge: few rules, sums from scratch at every look.

Nothing here is shared with the kernels but the meaning of the words. States, marks and events are
text. Money and shares are never kept: they are added up from the executions each time.
"""

from __future__ import annotations

from slow_order_rows import SlowChild, SlowFill, SlowParent, SlowPosition

BUSY = ("working", "suspended", "pending cancel")
BUY = 1

Tiers = list[tuple[int, dict[int, tuple[int, int]]]]  # from shares; by liquidity a share, notional


class SlowOrders:
    """All orders of a router with one instrument numbering; see `router.orders.control.Orders`."""

    def __init__(
        self, tiers: dict[int, Tiers], last: int, children: int, tokens: int, slots: int
    ) -> None:
        self.tiers, self.last = tiers, last
        self.room = (children, tokens, slots // 4 * 3)
        self.children: list[SlowChild] = []
        self.parents: dict[int, SlowParent] = {}
        self.tokens: dict[int, SlowChild] = {}
        self.trades: list[tuple[int, int, int, int, int]] = []
        self.marks: dict[tuple[int, int], int] = {}
        self.kept: list[SlowFill] = []
        self.counts = dict.fromkeys(
            ("impossible", "over_fill", "repeated", "full", "orphan", "refused", "fill"), 0
        )

    # What we do.

    def _token(self, child: SlowChild) -> int:
        if len(self.tokens) >= self.room[1]:
            self.counts["full"] += 1
            return 0
        token = len(self.tokens) + 1
        self.tokens[token] = child
        return token

    def order(self, parent: int, instrument: int, account: int, venue: int, side: int,
              quantity: int, price: int, tif: int) -> int:  # fmt: skip
        """As `Orders.order`."""
        if len(self.children) >= self.room[0]:
            self.counts["full"] += 1
            return 0
        mark = self.marks.get((account, instrument), self.last)
        number = len(self.children) + 1
        child = SlowChild(
            number, 0, parent, instrument, account, venue, side, quantity, price, tif, mark
        )
        child.token, child.leaves = self._token(child), quantity
        if child.token == 0:
            return 0
        self.children.append(child)
        return number

    def ask_replace(self, number: int, quantity: int, price: int) -> int:
        """As `Orders.ask_replace`."""
        child = self.children[number - 1]
        if child.state not in ("new", "partially filled"):
            return 0
        if quantity <= child.cum + child.busted:
            return 0
        token = self._token(child)
        if token:
            child.was, child.state = child.state, "pending replace"
            child.replace = (token, quantity, price)
        return token

    def ask_cancel(self, number: int) -> int:
        """As `Orders.ask_cancel`."""
        child = self.children[number - 1]
        if child.over:
            return 0
        if child.state == "pending cancel":
            if "cancel crossed" not in child.marks:
                return 0
        else:
            child.was = child.state
        child.marks.discard("cancel crossed")
        child.state = "pending cancel"
        return 1

    # What venues say.

    def _impossible(self, child: SlowChild) -> None:
        child.marks.add("impossible event")
        self.counts["impossible"] += 1

    def _end(self, child: SlowChild, state: str) -> None:
        child.state, child.leaves = state, 0

    def hear(self, kind: str, token: int, quantity: int, price: int, aux: int, unit: int) -> int:
        """As `Orders.hear`; a BREAK with new terms is a `correction`."""
        child = self.tokens.get(token)
        if child is None and kind == "replaced":
            child = self.tokens.get(aux)
        if child is None:
            self.counts["orphan"] += 1
            return 0
        if kind == "executed":
            self._executed(child, aux, quantity, price, unit)
        elif kind == "bust":
            self._busted(child, aux)
        elif kind == "correction":
            self._corrected(child, aux, quantity, price)
        elif kind == "canceled":
            self._canceled(child, quantity)
        elif kind == "restated":
            self._restated(child, quantity)
        elif kind == "cancel_pending":
            self._cancel_pending(child)
        elif kind == "accepted":
            self._accepted(child)
        elif kind == "replaced":
            self._replaced(child, token)
        else:
            self._refused(child, token, kind)
        self._settle(child.parent)
        return child.number

    def _accepted(self, child: SlowChild) -> None:
        lost = child.state == "unknown"
        if child.acked and not lost:
            self._impossible(child)
        elif lost or child.state == "pending new":
            child.acked = True
            child.state = child.back() if lost else "new"
        elif child.state in ("partially filled", "filled", "pending cancel", "pending replace"):
            child.acked = True
        else:
            self._impossible(child)

    def _canceled(self, child: SlowChild, taken: int) -> None:
        if 0 < taken < child.leaves:
            self._reduce(child, taken)
        elif child.over:
            self._impossible(child)
        else:
            ours = child.state == "pending cancel" or child.tif in (1, 2)
            ours = ours or (child.state == "unknown" and child.was == "pending cancel")
            ours = ours or (child.replace is not None and child.new_leaves() == 0)
            if not ours:
                child.marks.add("unsolicited cancel")
            self._end(child, "canceled")

    def _reduce(self, child: SlowChild, taken: int) -> None:
        child.quantity -= taken
        child.leaves -= taken

    def _restated(self, child: SlowChild, left: int) -> None:
        if child.over:
            self._impossible(child)
        elif 0 < left < child.leaves:
            self._reduce(child, child.leaves - left)

    def _cancel_pending(self, child: SlowChild) -> None:
        if child.state == "unknown":
            child.state = "pending cancel"
        elif child.state not in ("pending cancel", "pending replace"):
            self._impossible(child)

    def _replaced(self, child: SlowChild, token: int) -> None:
        ours = child.replace is not None and child.replace[0] == token
        if not ours or child.state not in ("pending replace", "pending cancel", "unknown"):
            self._impossible(child)
            return
        assert child.replace is not None
        left = child.new_leaves()
        child.token, child.quantity, child.price = child.replace
        child.replace, child.acked, child.leaves = None, True, left
        if child.state == "pending cancel" and left:
            child.marks.add("cancel crossed")
        if left == 0:
            self._end(child, "filled")
        elif child.state != "pending cancel":
            child.state = child.by_shares()

    def _refused(self, child: SlowChild, token: int, kind: str) -> None:
        named = child.replace is not None and child.replace[0] == token
        waits = child.state == "pending replace" and token == child.token
        if named or waits:
            child.replace = None
            if child.state == "pending replace":
                child.state = child.back()
        elif token != child.token:
            if kind == "rejected":
                self._impossible(child)
        elif kind == "rejected":
            if child.state in ("pending new", "new", "pending cancel", "unknown"):
                self._end(child, "rejected")
                self.counts["refused"] += 1
            else:
                self._impossible(child)
        elif child.state == "pending cancel":
            child.state = child.back()
        elif not child.over and child.state != "unknown":
            self._impossible(child)

    # Executions.

    def executed_at(self, venue: int) -> int:
        """Shares executed at a venue."""
        return sum(child.cum for child in self.children if child.venue == venue)

    def tier(self, venue: int) -> int:
        """The tier that a venue's executed shares have reached."""
        done = self.executed_at(venue)
        return max(n for n, (least, _) in enumerate(self.tiers[venue]) if done >= least or not n)

    def fee(self, venue: int, liquidity: int, shares: int, price: int) -> int:
        """What an execution costs now."""
        rates = self.tiers[venue][self.tier(venue)][1]
        a_share, of_notional = rates.get(liquidity, rates[2])
        return shares * a_share if price >= 10**8 else shares * price * of_notional // 10**8

    def _find(self, child: SlowChild, execution: int) -> SlowFill | None:
        wanted = (execution, child.venue, child.instrument, child.side)
        for fill in self.kept:
            of = fill.child
            if (fill.execution, of.venue, of.instrument, of.side) == wanted:
                return fill
        return None

    def _move(self, child: SlowChild, sign: int, shares: int, price: int) -> None:
        sign = sign if child.side == BUY else -sign
        self.trades.append((child.account, child.instrument, sign, shares, price))
        self.marks.setdefault((child.account, child.instrument), price)

    def _executed(
        self, child: SlowChild, execution: int, shares: int, price: int, unit: int
    ) -> None:
        if shares <= 0 or price <= 0:
            self._impossible(child)
            return
        if execution and self._find(child, execution):
            child.marks.add("repeated execution")
            self.counts["repeated"] += 1
            return
        fee = self.fee(child.venue, unit, shares, price)
        kept = execution != 0 and len(self.kept) < self.room[2]
        fill = SlowFill(execution, child, unit, shares, price, fee, kept)
        child.fills.append(fill)
        self._move(child, 1, shares, price)
        self.counts["fill"] += 1
        if kept:
            self.kept.append(fill)
        else:
            child.marks.add("not remembered")
            self.counts["full"] += execution != 0
        self._after_fill(child, shares)
        self._told(child.parent)

    def _after_fill(self, child: SlowChild, shares: int) -> None:
        if child.cum + child.busted > child.quantity:
            child.marks.add("over-fill")
            self.counts["over_fill"] += 1
        if child.over:
            if child.state != "filled":
                child.marks.add("late fill")
            if child.state == "rejected":
                self._impossible(child)
            return
        if not child.acked:
            child.marks.add("filled before ack")
        child.leaves = max(child.leaves - shares, 0)
        if child.leaves == 0:
            self._end(child, "filled")
        elif child.state in ("pending new", "new"):
            child.state = "partially filled"

    def _busted(self, child: SlowChild, execution: int) -> None:
        fill = self._find(child, execution)
        if fill is None:
            self._impossible(child)
        elif fill.gone:
            child.marks.add("repeated execution")
            self.counts["repeated"] += 1
        else:
            self._changed(fill, 0, fill.price, "busted")

    def _corrected(self, child: SlowChild, execution: int, shares: int, price: int) -> None:
        fill = self._find(child, execution)
        if fill is None:
            self._impossible(child)
        elif fill.gone:
            child.marks.add("repeated execution")
            self.counts["repeated"] += 1
        else:
            self._changed(fill, shares or fill.shares, price or fill.price, "corrected")

    def _changed(self, fill: SlowFill, shares: int, price: int, mark: str) -> None:
        child = fill.child
        self._move(child, -1, fill.shares, fill.price)
        child.busted += fill.shares - shares
        fill.gone = True
        if shares:
            fill.fee = self.fee(child.venue, fill.liquidity, shares, price)
            fill.shares, fill.price, fill.gone = shares, price, False
            self._move(child, 1, shares, price)
        child.marks.add(mark)
        if child.state == "partially filled":
            child.state = child.by_shares()
        elif child.state in ("pending new", "new"):
            self._impossible(child)
        self._told(child.parent)

    # Control.

    def child_event(self, number: int, event: str) -> int:
        """As `Orders.child_event`."""
        child = self.children[number - 1]
        after = {"expired": "expired", "unsolicited cancel": "canceled", "lost": "unknown"}
        if event in after and not child.over:
            if event == "lost" and child.state != "unknown":
                child.was = child.state
            child.state = after[event]
        elif event == "unanswered" and child.state in ("pending cancel", "pending replace"):
            child.was, child.state = child.state, "unknown"
        elif event == "done for day" and not child.over and child.state != "pending new":
            child.state = "done for day"
        elif event == "suspended" and child.state in ("new", "partially filled"):
            child.state = "suspended"
        elif event == "resumed" and child.state == "suspended":
            child.state = child.by_shares()
        elif event == "resumed" and child.state == "unknown":
            child.state = child.back()
        elif event == "rejected" and child.state in (
            "pending new", "new", "pending cancel", "unknown",
        ):  # fmt: skip
            child.state = "rejected"
        else:
            self._impossible(child)
            return self._settle(child.parent)
        if child.over:
            child.leaves = 0
        self._settle(child.parent)
        return 1

    def mark(self, account: int, instrument: int, price: int) -> None:
        """As `Orders.mark`."""
        self.marks[account, instrument] = price

    # Parents.

    def open_of(self, parent: int) -> list[SlowChild]:
        """A parent's open children, the newest first."""
        return [c for c in reversed(self.children) if c.parent == parent and not c.over]

    def cum_of(self, parent: int) -> int:
        """Shares executed for a parent."""
        return sum(child.cum for child in self.children if child.parent == parent)

    def _told(self, number: int) -> None:
        if number and self.parents[number].state in ("new", "rejected"):
            self.counts["impossible"] += 1

    def _settle(self, number: int) -> int:
        parent = self.parents.get(number)
        if parent is None or parent.state not in BUSY or self.open_of(number):
            return 0
        if self.cum_of(number) >= parent.quantity:
            parent.state = "filled"
        elif parent.state == "pending cancel":
            parent.state = parent.ending
        return 0

    def parent_event(self, number: int, event: str) -> int:
        """As `Orders.parent_event`, for a parent that has been started."""
        parent = self.parents[number]
        if event in ("canceled", "expired", "done for day"):
            if parent.state == "pending cancel" and self.open_of(number):
                return 0
            if parent.state in BUSY:
                waits = bool(self.open_of(number))
                parent.state, parent.ending = ("pending cancel" if waits else event), event
                return 1
        elif event == "suspended" and parent.state == "working":
            parent.state = "suspended"
            return 1
        elif event == "resumed" and parent.state == "suspended":
            parent.state = "working"
            return 1
        self.counts["impossible"] += 1
        return 0

    def replace_parent(self, number: int, quantity: int) -> int:
        """As `Orders.replace_parent`."""
        parent = self.parents[number]
        if parent.state not in ("working", "suspended"):
            return 0
        parent.quantity = quantity
        self._settle(number)
        return 1

    # Positions.

    def position(self, account: int, instrument: int) -> SlowPosition:
        """A position from its trades."""
        position = SlowPosition()
        for of, what, sign, shares, price in self.trades:
            if (of, what) == (account, instrument):
                position.trade(sign, shares, price)
        return position

    def open_in(self, account: int, instrument: int) -> list[SlowChild]:
        """Open children of an account in an instrument, the newest first."""
        where = (account, instrument)
        found = [c for c in self.children if (c.account, c.instrument) == where and not c.over]
        return found[::-1]
