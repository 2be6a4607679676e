"""Expectations over two correlated Gaussians at any variance and correlation, many pairs at once, kinks and all.

u = √|ρ|·σ z + √(1 − |ρ|)·σ e and v = ±√|ρ|·σ' z + √(1 − |ρ|)·σ' e' with independent z, e, e' have the covariance
wanted, so E φ(u) φ(v) = E_z[φ̄(z) φ̄'(z)]: each factor is φ smoothed over its own noise. Everything is integrated by
Gauss rules between edges that follow the function (``meshes``). All in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import ceil, log, pi, sqrt

import numpy as np
import torch
from torch import Tensor

from ntklab.kernels.infinite.activations.functions import Function
from ntklab.kernels.infinite.activations.meshes import Mesh

Two = tuple[Tensor, Tensor]
Check = Callable[[], None]

REACH = 10.5  # standard deviations: polynomials of degree 10 have nothing beyond
_INNER = 9.0
_BASE = 3.0  # length of panels on which 16 nodes integrate the Gaussian alone
_ORDER = 16
_GROWTH = 3.0
_SHARPEST = 1e-9  # finest grading about a kink, in standard deviations
_ENTRIES = 1 << 16  # numbers held at once: they stay in the cache
# So many noises away from where φ varies, and from its kinks, so many Gauss–Hermite nodes are exact.
_FAR = ((1e4, 1e4, 3), (100.0, 100.0, 5), (30.0, 30.0, 8), (15.0, 15.0, 12), (9.0, 15.0, 16), (9.0, 9.0, 24))
# Nearer by, but where φ varies on scales of so many noises.
_SLOW = ((6.0, 15.0, 20), (6.0, 9.0, 24), (4.5, 9.0, 32), (3.0, 9.0, 64))


def edges_about(centre: Tensor, finest: Tensor, count: int) -> Tensor:
    """(…, 2·count): edges on both sides of ``centre`` (…), the first at ``finest``/2, each three times as far."""
    steps = finest[..., None] * (0.5 * _GROWTH ** torch.arange(count, dtype=torch.float64))
    return torch.cat([centre[..., None] - steps, centre[..., None] + steps], dim=-1)


def panels(edges: Tensor, reach: float, *, longest: float = _BASE) -> Two:
    """Nodes and weights (…, m) of Gauss–Legendre panels between ``edges`` (…, e) in any order, from −reach to reach.

    They are parted further so that none is longer than ``longest``. Weights are those of N(0, 1).
    """
    base = torch.linspace(-reach, reach, 1 + ceil(2 * reach / longest), dtype=torch.float64)
    every = torch.cat([edges.clamp(-reach, reach), base.expand(*edges.shape[:-1], -1)], dim=-1).sort(dim=-1).values
    low, high = every[..., :-1, None], every[..., 1:, None]
    x, w = _gauss()
    half = (high - low) / 2
    nodes = (low + half).addcmul(half, x).flatten(-2)
    weights = (half * w).flatten(-2)
    return nodes, weights.mul_(torch.exp(nodes.square() / -2)).mul_(1 / sqrt(2 * pi))


@cache
def _gauss() -> Two:
    x, w = np.polynomial.legendre.leggauss(_ORDER)
    return torch.from_numpy(x), torch.from_numpy(w)


@cache
def _hermite(order: int) -> Two:
    z, w = np.polynomial.hermite_e.hermegauss(order)
    return torch.from_numpy(z), torch.from_numpy(w / w.sum())


def smoothed(function: Function, y: Tensor, noise: Tensor, *, finer: float = 1.0) -> Two:
    """E φ(y + noise·e) and E φ'(y + noise·e), e ~ N(0, 1), for each of ``y`` and ``noise`` (n,)."""
    k, slope = torch.empty_like(y), torch.empty_like(y)
    mesh = function.mesh(float((y.abs() + _INNER * noise).max()))
    left = torch.ones_like(y, dtype=torch.bool)
    far, seen, kinks = _distances(mesh, y, noise)
    for distance, least, least_kinks, order in [(far, *row) for row in _FAR] + [(seen, *row) for row in _SLOW]:
        at = (left & (distance >= least * finer) & (kinks >= least_kinks * finer)).nonzero()[:, 0]
        left[at] = False
        z, w = _hermite(order)
        for part in torch.split(at, max(1, _ENTRIES // order)):
            u = y[part, None] + noise[part, None] * z
            values, slopes = function.at(u)
            k[part], slope[part] = values @ w, slopes @ w
    at = left.nonzero()[:, 0]
    for group in _alike(noise[at]):
        _by_panels(function, mesh, (y, noise), at[group], (k, slope), finer=finer)
    return k, slope


def _distances(mesh: Mesh, y: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """In noises: how far ``y`` (n,) is from where the function varies faster, on which scale it varies within sight,
    and how far its kinks are."""
    far, seen, kinks = (torch.full_like(y, torch.inf) for _ in range(3))
    for edge, scale in zip(mesh.edges, mesh.scales, strict=True):
        offset = (y - edge).abs_()
        if scale == 0:
            torch.minimum(kinks, offset, out=kinks)
            continue
        seen[offset < _INNER * noise] = seen[offset < _INNER * noise].clamp(max=scale)
        torch.minimum(far, offset.clamp_(min=scale), out=far)
    silent = noise == 0
    far, seen, kinks = (torch.where(silent, torch.inf, distance / noise) for distance in (far, seen, kinks))
    return far, seen, kinks


def _alike(sizes: Tensor) -> list[Tensor]:
    """Indices in groups whose ``sizes`` differ by less than a factor 2."""
    octaves = sizes.clamp(min=1e-30).log2().floor()
    return [(octaves == octave).nonzero()[:, 0] for octave in torch.unique(octaves)]


def _by_panels(function: Function, mesh: Mesh, at: Two, which: Tensor, into: Two, *, finer: float) -> None:
    y, noise = at[0][which], at[1][which]
    largest = float(noise.max())
    edges = [e for e, scale in zip(mesh.edges, mesh.scales, strict=True) if scale < 4 * largest]
    around = torch.tensor(edges, dtype=torch.float64)
    rows = max(1, _ENTRIES // (_ORDER * (len(edges) + 7)))
    for part, here, tau in zip(*(torch.split(x, rows) for x in (which, y, noise)), strict=True):
        e, w = panels((around - here[:, None]) / tau[:, None], _INNER, longest=_BASE / finer)
        for target, values in zip(into, function.at(torch.addcmul(here[:, None], tau[:, None], e)), strict=True):
            target[part] = torch.linalg.vecdot(values, w)


def products(function: Function, rho: Tensor, sigma: Tensor, *, finer: float = 1.0, check: Check = lambda: None) -> Two:
    """(p, a, a) each: E φ(u) φ(v) and E φ'(u) φ'(v) for correlation ``rho`` (p,) between variables of every two of the
    standard deviations ``sigma`` (p, a), which are above 0."""
    results = [torch.empty(*sigma.shape, sigma.shape[1], dtype=torch.float64) for _ in range(2)]
    rows = max(1, _ENTRIES // (1024 * sigma.shape[1]))
    for part in (chunk for group in _alike(1 - rho.abs()) for chunk in torch.split(group, rows)):
        check()
        for result, values in zip(results, _products(function, rho[part], sigma[part], finer=finer), strict=True):
            result[part] = values
    return results[0], results[1]


def _products(function: Function, rho: Tensor, sigma: Tensor, *, finer: float) -> Two:
    size = rho.abs().clamp(max=1)
    apart, together = (1 - size).sqrt(), size.sqrt()
    z, w = panels(_edges(function, apart, together, sigma), REACH, longest=_BASE / finer)
    y = (sigma * together[:, None])[:, :, None] * z[:, None, :]
    noise = (sigma * apart[:, None])[:, :, None].expand_as(y)
    left = _parts(function, y, noise, finer=finer)
    right, negative = left, (rho < 0)[:, None, None]
    if bool(negative.any()):
        central = function.central  # then the nodes are symmetric
        flipped = (left[0].flip(-1), left[1].flip(-1)) if central else _parts(function, -y, noise, finer=finer)
        right = (torch.where(negative, flipped[0], left[0]), torch.where(negative, flipped[1], left[1]))
    k, slope = (torch.matmul(a * w[:, None], b.mT) for a, b in zip(left, right, strict=True))
    return k, slope


def _parts(function: Function, y: Tensor, noise: Tensor, *, finer: float) -> Two:
    k, slope = smoothed(function, y.flatten(), noise.flatten(), finer=finer)
    return k.view_as(y), slope.view_as(y)


def _edges(function: Function, apart: Tensor, together: Tensor, sigma: Tensor) -> Tensor:
    """(p, e): where φ̄(z) varies: at the edges of φ, and about its kinks down to the noise."""
    if function.central:
        sigma = sigma.max(dim=1, keepdim=True).values
    scale = (sigma * together[:, None]).clamp(min=1e-300)
    mesh = function.mesh(REACH * float(sigma.max()))
    smooth = torch.tensor([e for e in mesh.edges if e not in mesh.kinks], dtype=torch.float64)
    edges = [(smooth / scale[:, :, None]).flatten(1)]
    finest = apart.clamp(min=_SHARPEST)
    count = max(1, ceil(log(2 * _BASE / float(finest.min())) / log(_GROWTH)))
    for kink in mesh.kinks:
        centre = kink / scale
        edges += [centre, edges_about(centre, finest[:, None].expand_as(centre), count).flatten(1)]
    return torch.cat(edges, dim=1)


def moments(function: Function, q: Tensor, *, finer: float = 1.0) -> Two:
    """E φ(u)² and E φ'(u)² for u ~ N(0, q), each (n,)."""
    parts = []
    mesh = function.mesh(REACH * sqrt(float(q.max())))
    edges = torch.tensor(mesh.edges, dtype=torch.float64)
    for sigma in torch.split(q.sqrt(), max(1, _ENTRIES // (_ORDER * (len(edges) + 9)))):
        z, w = panels(edges / sigma.clamp(min=1e-300)[:, None], REACH, longest=_BASE / finer)
        parts.append(tuple(torch.linalg.vecdot(f.square(), w) for f in function.at(sigma[:, None] * z)))
    return torch.cat([k for k, _ in parts]), torch.cat([slope for _, slope in parts])
