"""The slow twin: all units of all samples in one matrix, position by position, every expectation by brute force.

S[i, j] = E z_i z_j and T[i, j] = Σ_θ ∂z_i/∂θ ∂z_j/∂θ, where i and j run over all positions of all samples: samples one
after the other, positions in C order. Layers are then either a matrix B that mixes rows, S → B S Bᵀ, or act on every
entry by itself. Nothing is shared with the fast rules but the spec of the network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ntklab import spec
from ntklab.kernels.infinite.reference import maps
from ntklab.kernels.infinite.reference.integrals import moments
from ntklab.spec.activations import ExpNormalized

Array = NDArray[Any]


@dataclass(frozen=True)
class Units:
    """Those of a layer: ``S`` and ``T`` (m, m) with m = samples·positions, and ``masked`` (m,).

    ``width`` is their number at each position; ``patterns`` (samples, *axes, *axes) are those of graphs.
    """

    S: Array
    T: Array
    sizes: tuple[int, ...]
    width: float
    samples: int
    masked: Array
    patterns: Array | None = None

    @property
    def positions(self) -> int:
        """Of one sample; 1 for vectors."""
        return prod(self.sizes)

    @property
    def each(self) -> list[slice]:
        """Where each sample stands."""
        return [slice(a * self.positions, (a + 1) * self.positions) for a in range(self.samples)]

    def but(self, **changes: Any) -> Units:
        """The same with ``changes``; masked units are 0."""
        units = replace(self, **changes)
        seen = ~units.masked
        alive = np.outer(seen, seen)
        return replace(units, S=np.where(alive, units.S, 0.0), T=np.where(alive, units.T, 0.0))


def reference_kernel(
    architecture: spec.Architecture,
    x1: Array,
    x2: Array | None = None,
    *,
    pattern1: Array | None = None,
    pattern2: Array | None = None,
    mask_constant: float | None = None,
) -> dict[str, Array]:
    """{"nngp", "ntk"}: kernels of infinite width as ``infinite_kernel``, to about 1e-12.

    Takes a millisecond for each pair of units behind each activation: give it few samples with few positions.
    """
    spec.layer_shapes(architecture)
    x = np.asarray(x1 if x2 is None else np.concatenate([x1, x2]), dtype=np.float64)
    patterns = None if pattern1 is None else np.asarray(pattern1 if x2 is None else [*pattern1, *pattern2])  # type: ignore[misc]
    end = stack(architecture.layers, _first(x, patterns, mask_constant))
    rows, columns = (range(len(x1)), range(0 if x2 is None else len(x1), len(x)))
    axes = len(end.sizes)
    order = [0, 1, *(2 + i + axes * side for i in range(axes) for side in range(2))]
    kernels = {}
    for kind, matrix in (("nngp", end.S), ("ntk", end.T)):
        blocks = np.array([[matrix[end.each[a], end.each[b]] for b in columns] for a in rows])
        kernels[kind] = blocks.reshape(len(rows), len(columns), *end.sizes, *end.sizes).transpose(order)
    return kernels


def _first(x: Array, patterns: Array | None, mask_constant: float | None) -> Units:
    """Inputs (n, *sizes, channels): S = <x_p, x'_p'>/channels, no tangents."""
    masked: Array = np.zeros(x.shape[:-1], dtype=bool)
    if mask_constant is not None:
        masked = np.asarray(np.isclose(x, mask_constant, rtol=0, atol=0, equal_nan=True).all(axis=-1))
    flat = np.where(masked[..., None], 0.0, x).reshape(-1, x.shape[-1])
    masked &= x.ndim > 2  # only positions are masked
    S = flat @ flat.T / x.shape[-1]
    return Units(
        S=S, T=np.zeros_like(S), sizes=x.shape[1:-1], width=x.shape[-1], samples=len(x), masked=masked.ravel(),
        patterns=patterns,
    )  # fmt: skip


def stack(layers: Sequence[spec.Layer], units: Units) -> Units:
    """Layers one after the other."""
    for layer in layers:
        rule = _activation if spec.is_activation(layer) else RULES[type(layer)]
        units = rule(layer, units)
    return units


def _activation(layer: Any, units: Units) -> Units:
    """Entry by entry: S → E φ(u)φ(v), T → T·E φ'(u)φ'(v). Equal indices are one unit, so that u = v exactly."""
    q = np.diag(units.S)
    S, T = np.zeros_like(units.S), np.zeros_like(units.T)
    for i in range(len(q)):
        for j in range(i, len(q)):
            if units.masked[i] or units.masked[j]:
                continue
            rule = _exp_normalized if isinstance(layer, ExpNormalized) else moments
            k, slope = rule(layer, float(q[i]), float(units.S[i, j]), float(q[j]))
            S[i, j] = S[j, i] = k
            T[i, j] = T[j, i] = units.T[i, j] * slope
    return units.but(S=S, T=T)


def _exp_normalized(layer: ExpNormalized, q1: float, S: float, q2: float) -> tuple[float, float]:
    """A kernel without a finite network: √(q q')·κ(ρ) with κ(ρ) = exp(γ(ρ + shift)), and κ'(ρ) (Shankar et al. 2020,
    arXiv:2003.02237)."""
    norm = sqrt(q1 * q2)
    k = exp(layer.gamma * (S / norm + layer.shift))
    return norm * k, layer.gamma * k


def _weighted(layer: Any, units: Units, S: Array, T: Array, *, window: int = 1, same: Array | float = 1.0) -> Units:
    """Behind weights that see S and T, the means over what they sum (channels and ``window`` positions).

    z = σ/√n·Σ w_c x_c + β·b has ∂z/∂w_c = σ/√n·x_c, ∂z/∂b = β, and passes tangents of x on with E w² = 1. In standard
    parameterisation w has the factor σ in it and the true n is s[0]·fan_in: ∂z/∂w_c = x_c/√s[0], ∂z/∂b = 1. ``same`` is
    0 where two units have different weights: then their products vanish on average, and so do those of derivatives.
    """
    weight, bias = layer.W_std**2, (layer.b_std or 0.0) ** 2
    if layer.param == "standard":
        tangent = units.width * window / layer.s[0] * S + float(layer.b_std is not None)
        width = layer.s[1] * spec.own_width(layer)
    else:
        tangent, width = weight * S + bias, spec.own_width(layer)
    return replace(units, S=(weight * S + bias) * same, T=(tangent + weight * T) * same, width=width)


def _dense(layer: spec.Dense, units: Units) -> Units:
    return _weighted(layer, units, units.S, units.T).but()


def _on_each(units: Units, matrix: Array) -> Array:
    """``matrix`` for every sample."""
    return np.kron(np.eye(units.samples), matrix)


def _windowed(layer: Any, units: Units, taps: list[Array], sizes: tuple[int, ...], masked: Any) -> Units:
    """z_p = Σ_δ W_δ x_{p, δ}: the same δ of both units meet, different ones have independent weights."""
    blocks = [_on_each(units, tap) for tap in taps]
    S, T = (np.sum([B @ K @ B.T for B in blocks], axis=0) / len(taps) for K in (units.S, units.T))
    same: Array | float = 1.0
    if isinstance(layer, spec.ConvLocal):
        same = np.kron(np.ones((units.samples, units.samples)), np.eye(prod(sizes)))
    behind = _weighted(layer, units, S, T, window=len(taps), same=same)
    return behind.but(sizes=sizes, masked=masked)


def _conv(layer: Any, units: Units) -> Units:
    sizes = maps.window_sizes(layer.kernel, layer, units.sizes)
    taps = maps.window_taps(layer.kernel, layer, units.sizes)
    return _windowed(layer, units, taps, sizes, _masked_centres(layer.kernel, layer, units))


def _masked_centres(window: tuple[int, ...], layer: Any, units: Units) -> Array:
    centres = maps.window_centres(window, layer, units.sizes)
    return np.concatenate([units.masked[each][centres] for each in units.each])


def _conv_transpose(layer: spec.ConvTranspose, units: Units) -> Units:
    assert not units.masked.any()
    sizes = maps.transposed_sizes(layer, units.sizes)
    masked = np.zeros(units.samples * prod(sizes), dtype=bool)
    return _windowed(layer, units, maps.transposed_taps(layer, units.sizes), sizes, masked)


def _moved(units: Units, B: Array, sizes: tuple[int, ...], masked: Array | None = None) -> Units:
    """A fixed linear map of units. Without other word, what gets nothing from units that are not masked is masked."""
    if masked is None:
        masked = units.masked.any() & ((np.abs(B) @ ~units.masked) == 0)
    return units.but(S=B @ units.S @ B.T, T=B @ units.T @ B.T, sizes=sizes, masked=masked)


def _pool(layer: Any, units: Units) -> Units:
    B = _on_each(units, maps.pool(layer, units.sizes))
    sizes = maps.window_sizes(layer.window, layer, units.sizes)
    return _moved(units, B, sizes, _masked_centres(layer.window, layer, units))


def _global_pool(layer: Any, units: Units) -> Units:
    """Over what is not masked."""
    B = np.zeros((units.samples, len(units.S)))
    for row, each in enumerate(units.each):
        count = max(1, int((~units.masked[each]).sum()))
        B[row, each] = 1 / count if isinstance(layer, spec.GlobalAvgPool) else 1.0
    return _moved(units, B, (), np.zeros(units.samples, dtype=bool))


def _flatten(_: spec.Flatten, units: Units) -> Units:
    """The channels of all positions side by side: their products are summed position by position."""
    rows = range(units.samples)
    S, T = (
        np.array([[np.trace(K[units.each[a], units.each[b]]) / units.positions for b in rows] for a in rows])
        for K in (units.S, units.T)
    )
    unmasked = np.zeros(units.samples, dtype=bool)
    return units.but(S=S, T=T, sizes=(), width=units.width * units.positions, masked=unmasked)


def _mapped(make: Callable[[Any, tuple[int, ...]], tuple[Array, tuple[int, ...]]]) -> Callable[[Any, Units], Units]:
    def rule(layer: Any, units: Units) -> Units:
        matrix, sizes = make(layer, units.sizes)
        return _moved(units, _on_each(units, matrix), sizes)

    return rule


def _aggregate(layer: spec.Aggregate, units: Units) -> Units:
    assert units.patterns is not None
    B = np.zeros_like(units.S)
    for each, pattern in zip(units.each, units.patterns, strict=True):
        B[each, each] = maps.aggregate(layer, units.sizes, pattern)
    return _moved(units, B, units.sizes, units.masked)


def _layer_norm(layer: spec.LayerNorm, units: Units) -> Units:
    """(z − mean)/√(eps + variance): the mean over infinitely many channels is 0, the variance that of every channel."""
    rank = len(units.sizes) + 2
    axes = tuple(axis % rank - 1 for axis in layer.axis if axis % rank != rank - 1)
    together = _on_each(units, maps.neighbours(axes, units.sizes)) * ~units.masked
    count = np.maximum(together.sum(axis=1), 1)
    B = np.diag(1 / np.sqrt(layer.eps + together @ np.diag(units.S) / count))
    return _moved(units, np.where(np.isfinite(B), B, 0.0), units.sizes, units.masked)


def _dropout(layer: spec.Dropout, units: Units) -> Units:
    """z·m/keep: E m² = keep for a unit with itself, E m m' = keep² for any others."""
    if layer.mode == "test":
        return units
    factor = np.where(np.eye(len(units.S), dtype=bool), 1 / layer.keep_rate, 1.0)
    return units.but(S=units.S * factor, T=units.T * factor)


def _attention(layer: spec.SelfAttention, units: Units) -> Units:
    """What queries and keys see, M, are units with embeddings; values see them too, or the units alone."""
    M, M_tangent = _embedded(layer, units)
    V, V_tangent = (M, M_tangent) if layer.val_pos_emb else (units.S, units.T)
    attend = _tied if layer.linear_scaling or layer.mechanism == "FLAT" else _untied
    S, T = attend(layer, units, (M, M_tangent), (V, V_tangent))
    bias = (layer.b_std or 0.0) ** 2
    return units.but(S=S + bias, T=T + bias, width=layer.n_chan_out)


def _embedded(layer: spec.SelfAttention, units: Units) -> tuple[Array, Array]:
    """x + e, or x and e side by side, with trained embeddings of covariance σ²R, as many as there are channels."""
    if layer.pos_emb_type == "NONE":
        return units.S, units.T
    R = layer.W_pos_emb_std**2 * np.tile(maps.embedding(layer, units.sizes), (units.samples, units.samples))
    R = R * np.outer(~units.masked, ~units.masked)
    if layer.pos_emb_type == "SUM":
        return units.S + R, units.T + R
    added = layer.n_chan_pos_emb or units.width
    share = units.width / (units.width + added)
    return share * units.S + (1 - share) * R, share * units.T + (1 - share) * R


def _tied(
    layer: spec.SelfAttention, units: Units, seen: tuple[Array, Array], values: tuple[Array, Array]
) -> tuple[Array, Array]:
    """Products of one set of queries and keys over n_chan_key converge: the weights of a sample are fixed.

    What they mix goes through two matrices, those of values and of outputs, each with as many tangents as products.
    Derivatives by queries and keys vanish with n_chan_key.
    """
    B = np.zeros_like(units.S)
    for each in units.each:
        scores = layer.W_query_std * layer.W_key_std * seen[0][each, each]
        for row in range(units.positions):
            B[each, each][row] = _weights(layer.mechanism, scores[row], ~units.masked[each])
    scale = (layer.W_out_std * layer.W_value_std) ** 2
    mixed, tangents = (scale * B @ part @ B.T for part in values)
    return mixed, tangents + 2 * mixed


def _weights(mechanism: str, scores: Array, seen: Array) -> Array:
    """Of all keys for one query; keys that are not seen have none."""
    if mechanism == "SOFTMAX":
        exponentials = np.where(seen, np.exp(scores - scores.max()), 0.0)
        share: Array = exponentials / max(exponentials.sum(), 1e-300)
        return share
    functions: dict[str, Callable[[Array], Array]] = {
        "IDENTITY": lambda x: x, "RELU": lambda x: np.maximum(x, 0), "ABS": np.abs,
        "FLAT": lambda x: np.full_like(x, 1 / len(x)),
    }  # fmt: skip
    weights: Array = np.where(seen, functions[mechanism](scores), 0.0)
    return weights


def _untied(
    layer: spec.SelfAttention, units: Units, seen: tuple[Array, Array], values: tuple[Array, Array]
) -> tuple[Array, Array]:
    """z_p = Σ_r (Q_p·K_r/√d) V_r O with random scores: four matrices, and E Q_p Q_p' · E K_r K_r' · E V_r V_r' summed
    over r and r'. Each of the matrices has as many tangents as products, and each of the three inputs its own."""
    assert layer.mechanism == "IDENTITY"
    (M, M_tangent), (V, V_tangent) = seen, values
    S, T = np.zeros_like(M), np.zeros_like(M)
    scale = (layer.W_query_std * layer.W_key_std * layer.W_value_std * layer.W_out_std) ** 2
    for a in units.each:
        for b in units.each:
            m, m_tangent, v, v_tangent = M[a, b], M_tangent[a, b], V[a, b], V_tangent[a, b]
            product = (m * v).sum()
            S[a, b] = scale * m * product
            T[a, b] = 4 * S[a, b] + scale * (
                m_tangent * product + m * (m_tangent * v).sum() + m * (m * v_tangent).sum()
            )
    return S, T


def _branch(layer: spec.Branch, units: Units) -> Units:
    """Branches have independent weights, so that products of units of different branches vanish."""
    ends = [stack(path, units) for path in layer.branches]
    if layer.merge == "prod":
        S = np.prod([end.S for end in ends], axis=0)
        T = sum(end.T * np.prod([other.S for other in ends if other is not end], axis=0) for end in ends)
        return ends[0].but(S=S, T=T, masked=_all_masked(ends))
    rank = len(ends[0].sizes) + 2
    axis = rank - 1 if layer.axis is None else layer.axis % rank
    if layer.merge == "concat" and axis != rank - 1:
        return _side_by_side(ends, axis - 1)
    total = sum(end.width for end in ends)
    shares = [end.width / total if layer.merge == "concat" else 1.0 for end in ends]
    S, T = (sum(share * getattr(end, name) for share, end in zip(shares, ends, strict=True)) for name in ("S", "T"))
    width = total if layer.merge == "concat" else ends[0].width
    return ends[0].but(S=S, T=T, width=width, masked=_all_masked(ends))


def _all_masked(ends: Sequence[Units]) -> Array:
    masked: Array = np.logical_and.reduce([end.masked for end in ends])
    return masked


def _side_by_side(ends: Sequence[Units], axis: int) -> Units:
    """Positions of one branch behind those of another along a spatial axis."""
    before = ends[0].sizes
    sizes = (*before[:axis], sum(end.sizes[axis] for end in ends), *before[axis + 1 :])
    count, start = ends[0].samples * prod(sizes), 0
    S, T, masked = np.zeros((count, count)), np.zeros((count, count)), np.zeros(count, dtype=bool)
    numbers = np.arange(count).reshape(ends[0].samples, *sizes)
    for end in ends:
        here = np.take(numbers, range(start, start + end.sizes[axis]), axis=axis + 1).ravel()
        S[np.ix_(here, here)], T[np.ix_(here, here)], masked[here] = end.S, end.T, end.masked
        start += end.sizes[axis]
    return ends[0].but(S=S, T=T, sizes=sizes, masked=masked)


RULES: dict[type[spec.Spec], Callable[[Any, Units], Units]] = {
    spec.Dense: _dense,
    spec.Conv: _conv, spec.ConvLocal: _conv, spec.ConvTranspose: _conv_transpose,
    spec.AvgPool: _pool, spec.SumPool: _pool, spec.GlobalAvgPool: _global_pool, spec.GlobalSumPool: _global_pool,
    spec.Flatten: _flatten, spec.LayerNorm: _layer_norm, spec.Dropout: _dropout,
    spec.SelfAttention: _attention,
    spec.ImageResize: _mapped(maps.resize), spec.Index: _mapped(maps.index),
    spec.DotGeneral: _mapped(maps.dot_general), spec.Aggregate: _aggregate,
    spec.Branch: _branch,
}  # fmt: skip
