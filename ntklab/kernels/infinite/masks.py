"""Masked positions: which remain masked behind a layer, and the step that keeps their covariances at zero.

Conventions of neural-tangents (Novak et al. 2020, arXiv:1912.02803): a window is masked where its central position is;
a position mixed from others is masked where all of them are, and so is one of several branches that are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from ntklab import spec
from ntklab.errors import NtkLabError
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.positions import Map, bind_dot_general, bind_index, bind_resize
from ntklab.kernels.infinite.state import Context, Pairs, State, Step


class Mask(Step):
    """Zero wherever one position of a pair is masked."""

    def __init__(self, before: Form, context: Context) -> None:
        super().__init__(before, before, context)
        assert before.masks is not None
        self._seen = context.ready(~before.masks)[None]

    def run(self, state: State) -> State:
        left, right = (side[0] for side in state.pairs.beside(self._seen, self.before))
        for part in (state.nngp, state.ntk):
            if part is not None:
                part.mul_(left).mul_(right)
        return state


def masks_behind(layer: spec.Layer, step: Step, place: str, ends: Sequence[Tensor | None] = ()) -> Tensor | None:
    """(*sizes, n) of the masks behind ``layer``; ``ends`` are those of the branches of a Branch.

    Raises ``NtkLabError`` naming the ``place`` of a layer that masks cannot be carried through.
    """
    masks = step.before.masks
    if masks is None or not step.after.sizes:
        return None
    if isinstance(layer, spec.Branch):
        present = [end for end in ends if end is not None]
        if layer.merge == "concat" and step.after.sizes != present[0].shape[:-1]:
            axis = next(i for i, n in enumerate(present[0].shape) if n != step.after.sizes[i])
            return torch.cat(present, dim=axis)
        return reduce(torch.logical_and, present)
    if isinstance(layer, spec.ConvTranspose):
        raise NtkLabError(
            f"{place}: masks cannot be carried through a transposed convolution; leave out mask_constant, or put an "
            "ImageResize and a Conv in its place"
        )
    rule = _BEHIND.get(type(layer))
    return masks if rule is None else rule(layer, step, masks)


def _central(layer: Any, step: Step, masks: Tensor) -> Tensor:
    """The mask of the central position of each window."""
    window = getattr(layer, "kernel", None) or layer.window
    for axis, (size, k, s) in enumerate(zip(step.after.sizes, window, layer.strides, strict=True)):
        low = 0 if layer.padding == "VALID" else max((size - 1) * s + k - masks.shape[axis], 0) // 2
        index = torch.arange(size, device=masks.device) * s + (k - 1) // 2 - low
        masks = masks.index_select(axis, index.clamp(0, masks.shape[axis] - 1))
    return masks


def _mixed(bind: Callable[..., Map]) -> Callable[[Any, Step, Tensor], Tensor]:
    """Masked where nothing that is not masked contributes: what the map makes of positions each alone."""

    def behind(layer: Any, step: Step, masks: Tensor) -> Tensor:
        alone = bind(layer, Form(sizes=step.before.sizes), step.context, "")
        return alone.mapped((~masks).to(torch.float64), Pairs.alone(slice(None))) == 0

    return behind


_BEHIND: dict[type[spec.Spec], Callable[[Any, Step, Tensor], Tensor]] = {
    **dict.fromkeys((spec.Conv, spec.ConvLocal, spec.AvgPool, spec.SumPool), _central),
    spec.ImageResize: _mixed(bind_resize),
    spec.Index: _mixed(bind_index),
    spec.DotGeneral: _mixed(bind_dot_general),
}

# Behind these nothing has to be masked again: they leave zeros where zeros were.
TRANSPARENT: frozenset[type[spec.Spec]] = frozenset(
    (spec.Dropout, spec.Flatten, spec.GlobalAvgPool, spec.GlobalSumPool, spec.LayerNorm, spec.Index, spec.DotGeneral,
     spec.Branch)
)  # fmt: skip
