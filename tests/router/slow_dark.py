"""What dark pools show, the slow way: textbook Kaplan-Meier, splits by trying all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

Answer = tuple[int, int]  # asked, got; less than asked: no more was there


def kaplan_meier(answers: Sequence[Answer], most: int) -> list[Fraction]:
    """Chance of at least s, s = 0 ... most, from answers that are censored where all was got."""
    ends = sorted((got, got < asked) for asked, got in answers)  # (size reached, exact)
    chance, made = Fraction(1), [Fraction(1)]
    for size in range(most):
        at_risk = sum(1 for reached, exact in ends if reached > size or (exact and reached == size))
        died = sum(1 for reached, exact in ends if exact and reached == size)
        if at_risk:
            chance *= 1 - Fraction(died, at_risk)
        made.append(chance)
    return made


def at_risk(answers: Sequence[Answer], size: int) -> int:
    """Answers that say whether more than `size` was there."""
    return sum(1 for asked, got in answers if asked > size and got >= size)


def optimistic(
    answers: Sequence[Answer], most: int, known: int, least: float
) -> list[Fraction | float]:
    """Ganchev and others' OptimisticKM: the first size that is not known yet is as likely as the
    last that is; never below `least`."""
    tails: list[Fraction | float] = list(kaplan_meier(answers, most))
    cut_off = 0
    while cut_off < most and at_risk(answers, cut_off) >= known:
        cut_off += 1
    if cut_off < most:
        tails[cut_off + 1] = tails[cut_off]
    return [max(tail, least) for tail in tails]


def splits(quantity: int, pools: int) -> Iterator[tuple[int, ...]]:
    """All ways to split."""
    if pools == 1:
        yield (quantity,)
        return
    for first in range(quantity + 1):
        for rest in splits(quantity - first, pools - 1):
            yield (first, *rest)


def best_value(tails: Sequence[Sequence[Fraction | float]], quantity: int) -> float:
    """The most that a split executes on average."""
    return max(
        float(sum(sum(tail[1 : given + 1]) for tail, given in zip(tails, split, strict=True)))
        for split in splits(quantity, len(tails))
    )
