"""Self-attention with infinitely many heads (Hron et al. 2020, arXiv:2006.10540)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf, prod

import torch
from torch import Tensor

from ntklab import spec
from ntklab.errors import NoRuleError
from ntklab.kernels.infinite.form import Form
from ntklab.kernels.infinite.state import Context, Kept, Pairs, State, Step


class _Attention(Step):
    """What both scalings share: crossed states as matrices (batch, P, P), and positional embeddings.

    ``mixed`` is the covariance of what queries and keys see: a·S + b·R with the covariance R of the embeddings, which
    are taken to be infinitely wide and trained, so that T gets the same share of R.
    """

    def __init__(self, layer: spec.SelfAttention, before: Form, context: Context) -> None:
        super().__init__(before, before.but(width=layer.n_chan_out, gaussian=True), context)
        self.layer, self.bias = layer, (layer.b_std or 0.0) ** 2
        self.query_key = layer.W_query_std * layer.W_key_std
        self.out_value = (layer.W_out_std * layer.W_value_std) ** 2
        self.share, self.embedded = _shares(layer, before)
        self._embedding = context.ready(_embedding(layer, before.sizes))

    def mixed(self, S: Tensor | None, pairs: Pairs) -> Tensor | None:
        """a·S + b·R of (batch, P, P); S of None is zero."""
        if self.layer.pos_emb_type == "NONE":
            return S
        R = self.embedded * self._embedding.to(S.dtype if S is not None else self.context.dtype)
        seen = self.seen(pairs)
        R = R.expand(1, *R.shape) if seen is None else R * seen[0][:, :, None] * seen[1][:, None, :]
        return R if S is None else torch.add(R, S, alpha=self.share)

    def seen(self, pairs: Pairs) -> tuple[Tensor, Tensor] | None:
        """(batch, P) for both samples: 1 where a position is not masked; None where no masks are."""
        if self.before.masks is None:
            return None
        seen = (~self.before.masks).to(self.context.dtype).flatten(0, -2).T
        return seen[pairs.left], seen[pairs.right]

    def matrices(self, state: State) -> tuple[Tensor, Tensor | None]:
        """S and T as (batch, P, P)."""
        count = self.before.positions
        S, T = (None if part is None else part.reshape(-1, count, count) for part in (state.nngp, state.ntk))
        assert S is not None
        return S, T

    def shaped(self, state: State, S: Tensor, T: Tensor | None) -> State:
        """The state with S and T laid out again."""
        shape = state.nngp.shape
        return replace(state, nngp=S.reshape(shape), ntk=None if T is None else T.reshape(shape))


class LinearAttention(_Attention):
    """Scores divided by n_chan_key, queries tied to keys: they are G = ζ(W_query_std·W_key_std·mixed) of each sample.

    S ← v·G S G'ᵀ + b_std² with v = (W_out_std·W_value_std)², T ← v·G T G'ᵀ + b_std² + 2·v·G S G'ᵀ: the twos are values
    and outputs; queries and keys carry no tangent in this limit.
    """

    def __init__(self, layer: spec.SelfAttention, before: Form, context: Context) -> None:
        super().__init__(layer, before, context)
        self._kept, self._scores = Kept(dim=0), Tensor()
        table = before.entries * 8
        self.cost = self.moving(4.0 + 4 * before.positions / 8, buffers=4, table=table)

    def alone(self, state: State) -> State:
        S, _ = self.matrices(state)
        G = self._weights(self.mixed(S, state.pairs), self.seen(state.pairs))
        self._kept.add(state.pairs, G)
        return self._attend(state, G, G)

    def settle(self) -> None:
        self._scores = self.context.ready(self._kept.all())

    def run(self, state: State) -> State:
        return self._attend(state, self._scores[state.pairs.left], self._scores[state.pairs.right])

    def _weights(self, mixed: Tensor | None, seen: tuple[Tensor, Tensor] | None) -> Tensor:
        assert mixed is not None
        scores, function = self.query_key * mixed, self.layer.mechanism
        if seen is not None:
            away = -inf if function == "SOFTMAX" else 0.0
            scores = scores.masked_fill(seen[1][:, None, :] == 0, away)
        return MECHANISMS[function](scores).nan_to_num()

    def _attend(self, state: State, left: Tensor, right: Tensor) -> State:
        S, T = self.matrices(state)
        if self.layer.val_pos_emb:
            S, T = self.mixed(S, state.pairs), self.mixed(T, state.pairs)  # type: ignore[assignment]
        right = right.transpose(1, 2)
        attended = (left @ S @ right).mul_(self.out_value)
        tangent = None
        if self.context.ntk:
            tangent = 2 * attended + self.bias
            if T is not None:
                tangent.add_(left @ T @ right, alpha=self.out_value)
        return self.shaped(state, attended.add_(self.bias), tangent)


class RootAttention(_Attention):
    """Scores divided by √n_chan_key and not squashed: the only mechanism of this scaling with a closed form.

    With M = ``mixed`` and D = Σ M·V over all pairs of positions, V that of the values: S ← v·D·M + b_std² with
    v = (W_query_std·W_key_std·W_out_std·W_value_std)², and T by the product rule over four matrices and their inputs.
    """

    def __init__(self, layer: spec.SelfAttention, before: Form, context: Context) -> None:
        super().__init__(layer, before, context)
        self.cost = self.moving(6.0, buffers=4)

    def run(self, state: State) -> State:
        S, T = self.matrices(state)
        M, M_tangent = self.mixed(S, state.pairs), self.mixed(T, state.pairs)
        assert M is not None
        V, V_tangent = (M, M_tangent) if self.layer.val_pos_emb else (S, T)
        factor, dot = self.query_key**2 * self.out_value, _dot(M, V)
        tangent = None
        if self.context.ntk:
            slope = 4 * dot + _dot(M, V_tangent) + _dot(V, M_tangent)
            tangent = slope * M if M_tangent is None else slope * M + dot * M_tangent
            tangent = tangent.mul_(factor).add_(self.bias)
        return self.shaped(state, (factor * dot * M).add_(self.bias), tangent)


def _dot(a: Tensor, b: Tensor | None) -> Tensor:
    """(batch, 1, 1): the sum of products over all pairs of positions."""
    return torch.zeros_like(a[:, :1, :1]) if b is None else (a * b).sum(dim=(1, 2), keepdim=True)


MECHANISMS: dict[str, Callable[[Tensor], Tensor]] = {
    "SOFTMAX": lambda scores: torch.softmax(scores, dim=-1),
    "IDENTITY": lambda scores: scores,
    "RELU": torch.relu,
    "ABS": torch.abs,
    "FLAT": lambda scores: torch.full_like(scores, 1 / scores.shape[-1]),
}


def _shares(layer: spec.SelfAttention, before: Form) -> tuple[float, float]:
    """The weights of S and of the embeddings' covariance; joined ones count by their numbers of channels."""
    if layer.pos_emb_type == "NONE":
        return 1.0, 0.0
    if layer.pos_emb_type == "SUM":
        return 1.0, layer.W_pos_emb_std**2
    channels = layer.n_chan_pos_emb or before.width
    total = before.width + channels
    return before.width / total, layer.W_pos_emb_std**2 * channels / total


def _embedding(layer: spec.SelfAttention, sizes: tuple[int, ...]) -> Tensor:
    """R (P, P): of one-hot positions, or falling with the distance d = Σ |i − j|^p."""
    count = prod(sizes)
    if layer.pos_emb_decay is None:
        return torch.eye(count, dtype=torch.float64)
    axes = torch.meshgrid(*(torch.arange(size, dtype=torch.float64) for size in sizes), indexing="ij")
    places = torch.stack(axes).flatten(1)
    d = (places[:, :, None] - places[:, None, :]).abs().pow(layer.pos_emb_p_norm).sum(dim=0)
    return torch.exp(-d / 2) if layer.pos_emb_decay == "exp_neg_half_d" else 1 / (1 + d.square())


def bind(layer: spec.SelfAttention, before: Form, context: Context, place: str) -> Step:
    """Raises ``NoRuleError`` where scores divided by √n_chan_key are squashed: they stay random in the limit."""
    if layer.linear_scaling or layer.mechanism == "FLAT":  # weights that do not depend on scores
        return LinearAttention(layer, before, context)
    if layer.mechanism == "IDENTITY":
        return RootAttention(layer, before, context)
    raise NoRuleError(
        f"{place}: scores divided by √n_chan_key stay random at infinite width, so {layer.mechanism} of them has no "
        "closed form; set linear_scaling to true, take the mechanism IDENTITY, or use the Monte Carlo kernel"
    )
