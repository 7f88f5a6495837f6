"""Sets of cores in the kernel's two spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nic.tuning.coremask import cores_text, mask_cores, mask_text
from nic.tuning.cores import core_set

CORES = st.frozensets(st.integers(0, 200))


@given(CORES)
def test_lists_and_masks_come_back(cores: frozenset[int]) -> None:
    assert core_set(cores_text(cores)) == cores
    assert mask_cores(mask_text(cores)) == cores


@pytest.mark.parametrize(
    ("cores", "listed", "mask"),
    [
        ((), "", "0"),
        ((0,), "0", "1"),
        ((0, 1, 2, 6), "0-2,6", "47"),
        ((31, 32, 33), "31-33", "3,80000000"),
        ((64,), "64", "1,00000000,00000000"),
    ],
)
def test_known_spellings(cores: tuple[int, ...], listed: str, mask: str) -> None:
    assert (cores_text(cores), mask_text(cores)) == (listed, mask)


def test_the_kernel_pads_its_masks() -> None:
    assert mask_cores("00000000,0000004f\n") == {0, 1, 2, 3, 6}
    with pytest.raises(ValueError, match="invalid literal"):
        mask_cores("cores")
