"""The same problem as a mixed-integer program for HiGHS, an independent judge of optimality."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array
from slow_sweep import FAR, Problem, cost_of

OPTIMAL, INFEASIBLE = 0, 2


class Program:
    """Columns and rows of a mixed-integer program as they are found."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.cells: list[tuple[int, int, float]] = []
        self.low: list[float] = []
        self.high: list[float] = []

    def column(self, cost: float, upper: float) -> int:
        """A whole number from 0 to `upper`."""
        self.cost.append(cost)
        self.upper.append(upper)
        return len(self.cost) - 1

    def row(self, cells: dict[int, float], low: float, high: float) -> None:
        """low <= sum of cells <= high."""
        self.cells += [(len(self.low), column, value) for column, value in cells.items()]
        self.low.append(low)
        self.high.append(high)

    def solve(self) -> list[int] | None:
        """The best whole numbers; None when there are none."""
        rows, columns, values = zip(*self.cells, strict=True)
        matrix = coo_array((values, (rows, columns)), (len(self.low), len(self.cost))).tocsr()
        found = milp(
            np.array(self.cost), integrality=np.ones(len(self.cost)),
            bounds=Bounds(0, np.array(self.upper)),
            constraints=LinearConstraint(matrix, np.array(self.low), np.array(self.high)),
            options={"mip_rel_gap": 0.0},
        )  # fmt: skip
        assert found.status in (OPTIMAL, INFEASIBLE), found.message
        return None if found.x is None else [int(value) for value in np.rint(found.x)]


def programme(problem: Problem, quantity: int, unit: int, exactly: int | None) -> list[int] | None:
    """Shares by venue at the least cost of `exactly` so many; without, as many as can be had.

    Columns: shares of each level; whether a level is taken whole; lots and use of each venue;
    whether anything executes beyond each protected quote.
    """
    program = Program()
    base = min(at.cost for ladder in problem.ladders for at in ladder)
    taken: list[list[int]] = []
    for number, ladder in enumerate(problem.ladders):
        venue, there = problem.venues[number], sum(at.shares for at in ladder)
        costs = [-1 if exactly is None else (at.cost - base) / unit for at in ladder]
        columns = [program.column(c, at.shares) for c, at in zip(costs, ladder, strict=True)]
        for at, column, following in zip(ladder, columns, columns[1:], strict=False):
            whole = program.column(0, 1)
            program.row({column: 1, whole: -at.shares}, 0, np.inf)
            program.row({following: 1, whole: -quantity}, -np.inf, 0)
        used, lots = program.column(0, 1), program.column(0, there // venue.lot)
        program.row(dict.fromkeys(columns, 1.0) | {lots: -venue.lot}, 0, 0)
        program.row({lots: venue.lot, used: -there}, -np.inf, 0)
        program.row({lots: venue.lot, used: -max(venue.least, 1)}, 0, np.inf)
        taken.append(columns)
    everything = dict.fromkeys([column for columns in taken for column in columns], 1.0)
    program.row(everything, exactly or 0, quantity if exactly is None else exactly)
    protect(program, problem, taken)
    values = program.solve()
    return values and [sum(values[column] for column in columns) for columns in taken]


def protect(program: Program, problem: Problem, taken: list[list[int]]) -> None:
    """Nothing beyond a protected quote without sweeping it."""
    for number, quote in enumerate(problem.quotes):
        if quote is None or quote.need == 0:
            continue
        through = program.column(0, 1 if problem.takes_part(number, FAR) else 0)
        for ladder, columns in zip(problem.ladders, taken, strict=True):
            for at, column in zip(ladder, columns, strict=True):
                if at.shown > quote.key:
                    program.row({column: 1, through: -at.shares}, -np.inf, 0)
        program.row(dict.fromkeys(taken[number], 1.0) | {through: -quote.need}, 0, np.inf)


def solve(problem: Problem, quantity: int, unit: int) -> tuple[int, int]:
    """Most shares and their least cost. All differences of costs are multiples of `unit`."""
    there = sum(at.shares for ladder in problem.ladders for at in ladder)
    if there == 0:
        return 0, 0
    shares = programme(problem, quantity, unit, min(quantity, there))
    if shares is None:
        most = programme(problem, quantity, unit, None)
        assert most is not None
        shares = programme(problem, quantity, unit, sum(most))
        assert shares is not None
    costs = [cost_of(ladder, s) for ladder, s in zip(problem.ladders, shares, strict=True)]
    return sum(shares), sum(costs)
