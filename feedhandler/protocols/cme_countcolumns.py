"""Where CME's templates have the count of a security, taken from the tables."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from feedhandler.protocols.cme_columns import ABSENT, HIGHEST, LOWEST
from feedhandler.protocols.cme_mdp3 import CME_MDP3
from feedhandler.wire.sbe import groups_of


def counts() -> NDArray[np.int32]:
    """Where entries of the first group have security and RptSeq, by template; ABSENT without."""
    made = np.full((HIGHEST - LOWEST, 2), ABSENT, np.int32)
    for record in CME_MDP3.records:
        groups = groups_of(record)
        known = groups[0].entry.by_name if groups else {}
        if LOWEST <= int(record.code) < HIGHEST and "rpt_seq" in known:
            made[int(record.code) - LOWEST] = known["security_id"].offset, known["rpt_seq"].offset
    return made
