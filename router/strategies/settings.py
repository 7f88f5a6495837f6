"""The strategies of parents with their parameters: what a person chooses, and the rows' words.

All times are ns, all parts 1e-9; files have milliseconds and decimals, see router.parentfile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

import msgspec

from router import tables
from router.routing import parameters as places
from router.strategies import profiles
from router.strategies.curves import MOST_POINTS, MOST_SHARES
from router.strategies.exact import check_choice, check_ns, check_part, check_whole, shown
from router.strategies.profiles import Points
from router.tables import PART

MOST_ROUNDS: Final = 100
MOST_TICKS: Final = 10_000
MOST_RATE: Final = 900_000_000  # of a POV: nine tenths of the volume
LEAST_SLICE_NS: Final = 1_000_000
FINISH_NS: Final = 1_000_000_000  # of orders that rest: from so long before the end they take
FINISHES: Final = ("take", "cancel")


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What goes into a curve's row, see router.strategies.curves."""

    points: Points = field(default_factory=list)
    slices: int = 0
    jitter: int = 0
    tolerance: int = 0
    lot: int = 1
    most: int = 0
    interval_ns: int = 0


class Strategy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all strategies have.

    Attributes:
        name: as files call it.
        scheduled: whether it needs a start and an end.
        takes_ioc: whether a parent with it may be IOC.
    """

    name: ClassVar[str] = "none"
    scheduled: ClassVar[bool] = False
    takes_ioc: ClassVar[bool] = False

    @property
    def number(self) -> int:
        """Its number in the tables."""
        return tables.STRATEGIES.index(self.name)

    def words(self, start_ns: int, end_ns: int) -> list[int]:
        """The parameters of a parent's row."""
        return [0] * 8

    def curve(self, start_ns: int, end_ns: int) -> Curve | None:
        """The curve that it needs. Raises ValueError where those times do not suit."""
        return None


class Sweep(Strategy, frozen=True, kw_only=True):
    """Takes what the market offers within the limit. IOC: once."""

    name: ClassVar[str] = "sweep"
    takes_ioc: ClassVar[bool] = True


class DarkThenLit(Strategy, frozen=True, kw_only=True):
    """Asks the dark venues, then takes.

    Attributes:
        patience_ns: how long orders rest in the dark; 0: they are IOC.
        rounds: passes through dark and lit.
        minimum: part of the quantity that an execution in the dark must have.
    """

    name: ClassVar[str] = "dark_then_lit"
    takes_ioc: ClassVar[bool] = True
    patience_ns: int = 0
    rounds: int = 1
    minimum: int = 0

    def __post_init__(self) -> None:
        check_ns("patience_ns", self.patience_ns)
        check_whole("rounds", self.rounds, 1, MOST_ROUNDS)
        check_part("minimum", self.minimum)

    def words(self, start_ns: int, end_ns: int) -> list[int]:
        """The parameters of a parent's row."""
        words = [0] * 8
        words[places.PATIENCE_NS], words[places.OWN_FIRST] = self.patience_ns, self.rounds
        words[places.MINIMUM_PART] = self.minimum
        return words


class Resting(Strategy, frozen=True, kw_only=True):
    """What strategies have whose orders rest in the market; see router.routing.parameters.

    Attributes:
        peg: beside the best of its own side: join it, improve on it or stay behind it.
        offset_ticks: of the last two; 0: one.
        repost_ticks: the quote may move so far before an order follows.
        horizon_ns: time that a place in a queue is judged by; 0: until the parent's end.
        patience_ns: orders are changed no more often.
    """

    peg: Literal["join", "improve", "behind"] = "join"
    offset_ticks: int = 0
    repost_ticks: int = 0
    horizon_ns: int = 0
    patience_ns: int = 0

    def __post_init__(self) -> None:
        check_choice("peg", self.peg, places.PEGS)
        check_whole("offset_ticks", self.offset_ticks, 0, MOST_TICKS)
        check_whole("repost_ticks", self.repost_ticks, 0, MOST_TICKS)
        check_ns("horizon_ns", self.horizon_ns)
        check_ns("patience_ns", self.patience_ns)

    def words(self, start_ns: int, end_ns: int) -> list[int]:
        """The parameters of a parent's row."""
        words = [0] * 8
        words[places.HORIZON_NS], words[places.PATIENCE_NS] = self.horizon_ns, self.patience_ns
        words[places.PEG] = places.PEGS.index(self.peg)
        words[places.OFFSET_TICKS] = self.offset_ticks
        words[places.REPOST_TICKS] = self.repost_ticks
        return words


class Ending(Resting, frozen=True, kw_only=True):
    """What resting strategies have that may end by taking.

    Attributes:
        finish: what happens to the rest at the end.
        finish_ns: "take" begins so long before the end; 0: a second, with schedules a tenth of
            a slice.
    """

    finish: Literal["take", "cancel"] = "cancel"
    finish_ns: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("finish", self.finish, FINISHES)
        check_ns("finish_ns", self.finish_ns)

    def usual_finish_ns(self, start_ns: int, end_ns: int) -> int:
        """When taking begins before the end, where nobody said it."""
        return FINISH_NS

    def words(self, start_ns: int, end_ns: int) -> list[int]:
        """The parameters of a parent's row. Raises ValueError for a finish that has no time."""
        words = super().words(start_ns, end_ns)
        if self.finish == "take":
            if end_ns == 0:
                raise ValueError("end: missing, expected a time: what is left is to be taken then")
            span = end_ns - start_ns
            if self.finish_ns > span:
                raise ValueError("finish_ns: expected no more than the time from start to end")
            usual = min(self.usual_finish_ns(start_ns, end_ns), span)
            words[places.OWN_SECOND] = self.finish_ns or usual
        return words


class Post(Ending, frozen=True, kw_only=True):
    """Rests with all of it.

    Attributes:
        take_after_ns: patience: what is left then is taken; 0: never.
    """

    name: ClassVar[str] = "post"
    take_after_ns: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ns("take_after_ns", self.take_after_ns)

    def words(self, start_ns: int, end_ns: int) -> list[int]:
        """The parameters of a parent's row."""
        words = super().words(start_ns, end_ns)
        words[places.OWN_FIRST] = self.take_after_ns
        return words


class Iceberg(Ending, frozen=True, kw_only=True):
    """Rests with all of it and shows a part.

    Attributes:
        shown: shares.
    """

    name: ClassVar[str] = "iceberg"
    shown: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("shown", self.shown, 1, MOST_SHARES)

    def words(self, start_ns: int, end_ns: int) -> list[int]:
        """The parameters of a parent's row."""
        words = super().words(start_ns, end_ns)
        words[places.OWN_FIRST] = self.shown
        return words


class Scheduled(Ending, frozen=True, kw_only=True):
    """What schedules have.

    Attributes:
        slices: equal parts of the time; in each, what is due rests in the market.
        jitter: part of a slice that its beginning may move by, half to either side.
        tolerance: part of the quantity that may be missing before it is taken.
        lot: what is due is rounded down to it, but for the last.
    """

    scheduled: ClassVar[bool] = True
    finish: Literal["take", "cancel"] = "take"
    slices: int = 20
    jitter: int = 0
    tolerance: int = PART // 50
    lot: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("slices", self.slices, 1, 100_000)
        check_part("jitter", self.jitter)
        check_part("tolerance", self.tolerance)
        check_whole("lot", self.lot, 1, MOST_SHARES)

    def usual_finish_ns(self, start_ns: int, end_ns: int) -> int:
        """A tenth of a slice."""
        return max((end_ns - start_ns) // self.slices // 10, 1)

    def points(self, start_ns: int, end_ns: int) -> Points:
        """Points of the curve."""
        return profiles.straight(end_ns - start_ns)

    def curve(self, start_ns: int, end_ns: int) -> Curve:
        """The curve that it needs. Raises ValueError where those times do not suit."""
        if end_ns - start_ns < self.slices * LEAST_SLICE_NS:
            raise ValueError("slices: expected at least a millisecond for each")
        return Curve(
            points=self.points(start_ns, end_ns),
            slices=self.slices,
            jitter=self.jitter,
            tolerance=self.tolerance,
            lot=self.lot,
        )


class Twap(Scheduled, frozen=True, kw_only=True):
    """Even over the time."""

    name: ClassVar[str] = "twap"


class Vwap(Scheduled, frozen=True, kw_only=True):
    """As the volume of a usual day.

    Attributes:
        volumes: in equal parts of the time between `volumes_from_ns` and `volumes_to_ns`.
        volumes_from_ns, volumes_to_ns: say open and close of the session; 0: the parent's start
            and end.
    """

    name: ClassVar[str] = "vwap"
    volumes: tuple[int, ...] = profiles.USUAL_VOLUMES
    volumes_from_ns: int = 0
    volumes_to_ns: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        profiles.check_volumes(self.volumes)
        for name in ("volumes_from_ns", "volumes_to_ns"):
            check_whole(name, getattr(self, name), 0, 1 << 62)

    def points(self, start_ns: int, end_ns: int) -> Points:
        """Points of the curve. Raises ValueError where there is no volume."""
        from_ns, to_ns = self.volumes_from_ns or start_ns, self.volumes_to_ns or end_ns
        if to_ns - from_ns < LEAST_SLICE_NS:
            raise ValueError("volumes_to_ns: expected a time behind volumes_from_ns")
        return profiles.volume_points(self.volumes, from_ns, to_ns, start_ns, end_ns)


class Shortfall(Scheduled, frozen=True, kw_only=True):
    """Implementation shortfall: impact against risk, after Almgren and Chriss (2000).

    Time is in trading days of 6.5 hours, money in currency units. The usual values are those of
    the paper's example (a share of 50, 30 per cent a year, 5 million shares a day) but for the risk
    aversion, which is for one day in place of its five: about kappa = 3 a day.

    Attributes:
        slices: also the trajectory's own.
        risk_aversion: lambda, per currency unit. 0 trades evenly.
        volatility: sigma, currency units a share and square root of a day.
        temporary_impact: eta, currency units a share, for each share a day.
        permanent_impact: gamma, currency units a share, for each share.
    """

    name: ClassVar[str] = "is"
    risk_aversion: float = 2.5e-5
    volatility: float = 0.95
    temporary_impact: float = 2.5e-6
    permanent_impact: float = 2.5e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("slices", self.slices, 1, MOST_POINTS - 1)
        for name in ("risk_aversion", "volatility", "temporary_impact", "permanent_impact"):
            value = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not 0 <= value < 1e9
            ):
                raise ValueError(f"{name}: expected a number of at least 0, found {shown(value)}")

    def points(self, start_ns: int, end_ns: int) -> Points:
        """Points of the curve. Raises ValueError where the model has no answer."""
        step = (end_ns - start_ns) / self.slices / profiles.TRADING_DAY_NS
        kappa = profiles.urgency(
            self.risk_aversion, self.volatility, self.temporary_impact, self.permanent_impact, step
        )
        return profiles.shortfall_points(kappa, self.slices, end_ns - start_ns)


class Pov(Resting, frozen=True, kw_only=True):
    """A part of the volume.

    Attributes:
        rate: part of all volume, our own executions included.
        tolerance: part of the quantity that may be missing before it is taken.
        lot: nothing is done for less, but for the last.
        most: shares to have open at once; 0: any number.
        interval_ns: between two looks when nothing else happens.
    """

    name: ClassVar[str] = "pov"
    rate: int
    tolerance: int = PART // 100
    lot: int = 100
    most: int = 0
    interval_ns: int = 1_000_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        check_part("rate", self.rate, 1, MOST_RATE)
        check_part("tolerance", self.tolerance)
        check_whole("lot", self.lot, 1, MOST_SHARES)
        check_whole("most", self.most, 0, MOST_SHARES)
        check_ns("interval_ns", self.interval_ns, LEAST_SLICE_NS)

    def words(self, start_ns: int, end_ns: int) -> list[int]:
        """The parameters of a parent's row."""
        words = super().words(start_ns, end_ns)
        words[places.OWN_FIRST] = self.rate
        return words

    def curve(self, start_ns: int, end_ns: int) -> Curve:
        """The settings that it needs; it has no points."""
        return Curve(
            tolerance=self.tolerance, lot=self.lot, most=self.most, interval_ns=self.interval_ns
        )


KINDS: Final[tuple[type[Strategy], ...]] = (
    Sweep, DarkThenLit, Post, Twap, Vwap, Pov, Iceberg, Shortfall,
)  # fmt: skip
BY_NAME: Final = {kind.name: kind for kind in KINDS}
