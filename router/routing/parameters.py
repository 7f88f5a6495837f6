"""What routing reads of a parent: places in its eight `parameters`, and what they may say.

place           unit      read by             0 means
HORIZON_NS      ns        post                until the parent's end, or the learning's horizon
PEG             PEG_      post                join the best
OFFSET_TICKS    ticks     post                one tick (of IMPROVE and BEHIND)
MINIMUM_PART    1e-9      dark_first          an execution of any size
REPOST_TICKS    ticks     post                follow every move of the quote
PATIENCE_NS     ns        post                change orders as often as the settings allow
                          dark_first          IOC; otherwise DAY, cancelled behind it
OWN_FIRST                 strategies          of the strategy's own: a rate and the like
OWN_SECOND                strategies
"""

from __future__ import annotations

from typing import Final

HORIZON_NS: Final = 0
PEG: Final = 1
OFFSET_TICKS: Final = 2
MINIMUM_PART: Final = 3
REPOST_TICKS: Final = 4
PATIENCE_NS: Final = 5
OWN_FIRST: Final = 6
OWN_SECOND: Final = 7

# Pegs: where a passive order stands beside the best of its own side over all venues.
PEG_JOIN: Final = 0
PEG_IMPROVE: Final = 1  # by so many ticks, as far as the spread allows without crossing
PEG_BEHIND: Final = 2  # by so many ticks
PEGS: Final = ("join", "improve", "behind")
