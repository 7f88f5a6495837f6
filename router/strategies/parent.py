"""A parent order as the control side has it."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from feedhandler.actions import BUY, SELL
from router import tables
from router.strategies.curves import MOST_SHARES, MOST_SPAN_NS
from router.strategies.exact import MOST_PRICE, check_choice, check_whole, shown
from router.strategies.settings import Curve, Strategy, Sweep

MOST_NAME_BYTES: Final = 24
MOST_TIME_NS: Final = 1 << 62
MOST_MONEY: Final = 1 << 62  # quantity x limit
SIDES: Final = ("buy", "sell", "sell_short")
TIFS: Final = ("day", "ioc", "gtc")


class ParentOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a person wants. Raises ValueError, naming the field, for what cannot be.

    Attributes:
        name: unique, 1 to 24 bytes.
        symbol: of the instrument, in this house's spelling.
        side: a short sale is one that the seller says is short.
        quantity: shares.
        limit: price in 1e-8 currency units, see router.strategies.exact.price; 0: none.
        tif: "ioc" with sweep and dark_then_lit only.
        strategy: with its parameters.
        account: whose it is.
        start_ns: not before, epoch; 0: when it comes.
        end_ns: not behind; 0: no end. Schedules need both.
        located: the shares of a short sale have been located.
        closes: to get out: limits on new risk do not hold it back.
    """

    name: str
    symbol: str
    side: Literal["buy", "sell", "sell_short"]
    quantity: int
    account: str
    limit: int = 0
    tif: Literal["day", "ioc", "gtc"] = "day"
    strategy: Strategy = Sweep()
    start_ns: int = 0
    end_ns: int = 0
    located: bool = False
    closes: bool = False

    def __post_init__(self) -> None:
        check_name(self.name)
        for field in ("symbol", "account"):
            text = getattr(self, field)
            if not isinstance(text, str) or not text:
                raise ValueError(f"{field}: expected a name, found {shown(text)}")
        check_choice("side", self.side, SIDES)
        check_choice("tif", self.tif, TIFS)
        check_whole("quantity", self.quantity, 1, MOST_SHARES)
        check_whole("limit", self.limit, 0, MOST_PRICE)
        if self.quantity * self.limit > MOST_MONEY:
            raise ValueError(f"quantity: expected at most {MOST_MONEY // self.limit} at that limit")
        for field in ("located", "closes"):
            if not isinstance(getattr(self, field), bool):
                raise ValueError(f"{field}: expected true or false")
        if self.located and self.side != "sell_short":
            raise ValueError("located: expected with side sell_short only")
        self._check_strategy()

    def _check_strategy(self) -> None:
        strategy: Any = self.strategy
        if not isinstance(strategy, Strategy) or strategy.name not in tables.STRATEGIES[1:]:
            raise ValueError(f"strategy: expected one of {', '.join(tables.STRATEGIES[1:])}")
        if self.tif == "ioc" and not strategy.takes_ioc:
            raise ValueError(f'tif: expected day or gtc with strategy {strategy.name}, found "ioc"')
        check_whole("start_ns", self.start_ns, 0, MOST_TIME_NS)
        check_whole("end_ns", self.end_ns, 0, MOST_TIME_NS)
        for field in ("start_ns", "end_ns"):
            if strategy.scheduled and getattr(self, field) == 0:
                raise ValueError(f"{field}: missing, expected a time with strategy {strategy.name}")
        if self.end_ns and self.end_ns <= self.start_ns:
            raise ValueError("end_ns: expected a time behind the start")
        if strategy.scheduled and self.end_ns - self.start_ns > MOST_SPAN_NS:
            raise ValueError("end_ns: expected a time at most a day behind the start")
        strategy.words(self.start_ns, self.end_ns)
        strategy.curve(self.start_ns, self.end_ns)

    @property
    def side_number(self) -> int:
        """BUY or SELL of the tables."""
        return BUY if self.side == "buy" else SELL

    @property
    def flags(self) -> int:
        """Flags of the parent's row."""
        short = tables.SHORT if self.side == "sell_short" else 0
        located = tables.LOCATED if self.located else 0
        return short | located | (tables.CLOSES if self.closes else 0)

    @property
    def words(self) -> list[int]:
        """Parameters of the parent's row."""
        return self.strategy.words(self.start_ns, self.end_ns)

    @property
    def curve(self) -> Curve | None:
        """The curve that its strategy needs."""
        return self.strategy.curve(self.start_ns, self.end_ns)


def check_name(name: Any) -> None:
    """Raises ValueError for what is no name of a parent."""
    fits = isinstance(name, str) and 1 <= len(name.encode()) <= MOST_NAME_BYTES
    if not fits or not name.isprintable() or name != name.strip():
        most = MOST_NAME_BYTES
        raise ValueError(f"name: expected 1 to {most} printable bytes, found {shown(name)}")
