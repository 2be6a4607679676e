"""Every golden family has its infinite-width kernel and its values in this repository; none may go missing."""

from __future__ import annotations

import pytest
from golden.cases import CASES, Case

from ntklab.kernels.infinite import supported

FAMILIES = {
    "attention", "attention_pos", "attention_sqrt", "concat", "conv", "conv1d", "conv3d", "conv_act", "conv_local",
    "conv_norm", "conv_std", "conv_transpose", "dotgeneral", "dropout", "fcn", "fcn_act", "fcn_edge", "fcn_std",
    "graph", "index", "layernorm", "mask", "pool", "prod", "residual", "residual_conv", "resize", "transformer",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=lambda case: case.name)
def test_every_golden_case_is_covered(case: Case) -> None:
    assert all(supported(layer) for layer in case.architecture().layers)
    assert case.stored


def test_no_family_is_missing() -> None:
    assert {case.family for case in CASES.values()} == FAMILIES
