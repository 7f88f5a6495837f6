"""Rows of the slow model of order state: children, parents, positions, executions."""

from __future__ import annotations

from dataclasses import dataclass, field

OVER = ("filled", "canceled", "rejected", "expired", "done for day")


@dataclass
class SlowFill:
    """An execution as it is booked now."""

    execution: int
    child: SlowChild
    liquidity: int
    shares: int
    price: int
    fee: int
    kept: bool
    gone: bool = False


@dataclass
class SlowChild:
    """What was sent to a venue."""

    number: int
    token: int
    parent: int
    instrument: int
    account: int
    venue: int
    side: int
    quantity: int
    price: int
    tif: int
    reference: int
    leaves: int = 0
    state: str = "pending new"
    acked: bool = False
    was: str = ""
    replace: tuple[int, int, int] | None = None  # token, quantity, price
    busted: int = 0
    marks: set[str] = field(default_factory=set)
    fills: list[SlowFill] = field(default_factory=list)

    @property
    def live(self) -> list[SlowFill]:
        """Executions that stand."""
        return [fill for fill in self.fills if not fill.gone]

    @property
    def cum(self) -> int:
        """Shares executed."""
        return sum(fill.shares for fill in self.live)

    @property
    def over(self) -> bool:
        """Whether nothing can be open any more."""
        return self.state in OVER

    def by_shares(self) -> str:
        """The state of an order on which nothing is pending."""
        if self.cum:
            return "partially filled"
        return "new" if self.acked else "pending new"

    def back(self) -> str:
        """The state once an ask is answered, or the order is found again."""
        if self.replace:
            return "pending replace"
        return "suspended" if self.was == "suspended" else self.by_shares()

    def new_leaves(self) -> int:
        """What a replace would leave."""
        return max(self.replace[1] - self.cum - self.busted, 0) if self.replace else 0

    def reserved(self) -> tuple[int, int]:
        """Shares and money held back."""
        if self.over:
            return 0, 0
        choices = [(self.leaves, self.leaves * (self.price or self.reference))]
        if self.replace:
            new = self.new_leaves()
            choices.append((new, new * (self.replace[2] or self.reference)))
        return max(c[0] for c in choices), max(c[1] for c in choices)


@dataclass
class SlowParent:
    """What a person wants."""

    quantity: int
    state: str = "working"
    ending: str = ""


@dataclass
class SlowPosition:
    """Shares, cost and realised profit after a list of trades."""

    shares: int = 0
    cost: int = 0
    realised: int = 0

    def trade(self, sign: int, shares: int, price: int) -> None:
        """One trade, closing what is there first."""
        closed = min(shares, abs(self.shares)) if self.shares * sign < 0 else 0
        if closed:
            part = abs(self.cost) * closed // abs(self.shares)
            gain = closed * price - part
            long = self.shares > 0
            self.realised += gain if long else -gain
            self.cost -= part if long else -part
        self.cost += sign * (shares - closed) * price
        self.shares += sign * shares
