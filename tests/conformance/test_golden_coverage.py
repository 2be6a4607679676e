"""Which golden families the infinite-width kernels do not cover yet. This list may only shrink."""

from __future__ import annotations

import numpy as np
import pytest
from golden.cases import CASES, Case

from ntklab.errors import NtkLabError
from ntklab.kernels.infinite import infinite_kernel
from ntklab.progress import drain

NOT_COVERED = {
    "attention", "attention_pos", "attention_sqrt", "conv", "conv1d", "conv3d", "conv_act", "conv_local", "conv_norm",
    "conv_std", "conv_transpose", "dotgeneral", "graph", "index", "layernorm", "mask", "pool", "residual_conv",
    "resize", "transformer",
}  # fmt: skip


def runs(case: Case) -> bool:
    """Whether the kernel of the case's architecture can be computed; its values are tested elsewhere."""
    x = np.random.default_rng(0).standard_normal((2, *case.input["shape"]))
    try:
        drain(infinite_kernel(case.architecture(), x))
    except NtkLabError:
        return False
    return True


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_every_golden_case_is_covered_or_listed(case: Case) -> None:
    covered = case.family not in NOT_COVERED
    assert runs(case) == covered, f"take {case.family!r} off the list" if not covered else f"{case.family!r} is broken"
    assert case.stored == covered, "golden values of covered families belong into tests/golden"


def test_the_list_names_golden_families() -> None:
    assert {case.family for case in CASES.values()} >= NOT_COVERED
