"""Self-attention of finite networks, made of dense layers (Vaswani et al. 2017; scalings of Hron et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ntklab.networks.modules import Dense


class Embedding(nn.Module):
    """One vector a position, added to or joined with the input: a dense layer on the rows of R^½, R their covariance.

    ``dense`` maps the L positions to channels; ``places`` (L, L) is R^½, the identity for one-hot positions.
    """

    places: Tensor

    def __init__(self, dense: Dense, places: Tensor, *, joined: bool) -> None:
        super().__init__()
        self.dense = dense
        self.joined = joined
        self.register_buffer("places", places, persistent=False)

    def forward(self, a: Tensor, mask: Tensor | None = None) -> Tensor:
        """(n, L, channels) with the embedding; it is 0 where ``mask`` (n, L) is true."""
        added: Tensor = self.dense(self.places.expand(len(a), *self.places.shape))
        if mask is not None:
            added = added.masked_fill(mask.unsqueeze(-1), 0.0)
        return torch.cat([a, added], dim=-1) if self.joined else a + added


class Scores(nn.Module):
    """How products of queries and keys become weights: times ``scale``, then ``mechanism`` over all keys."""

    def __init__(self, mechanism: str, scale: float) -> None:
        super().__init__()
        self.mechanism = mechanism
        self.scale = scale

    def forward(self, queries: Tensor, keys: Tensor, mask: Tensor | None = None) -> Tensor:
        """(n, heads, L, L) from (n, heads, L, d); keys where ``mask`` (n, L) is true are not attended to."""
        scores = queries @ keys.mT * self.scale
        return MECHANISMS[self.mechanism](scores, None if mask is None else mask[:, None, None, :])

    def extra_repr(self) -> str:
        return f"{self.mechanism}, scale={self.scale:.6g}"


class SelfAttention(nn.Module):
    """Heads ζ(q·k) v over all positions, joined by ``out``. Without ``query``, queries are the keys."""

    def __init__(
        self, *, query: Dense | None, key: Dense, value: Dense, out: Dense, heads: int, scores: Scores,
        embedding: Embedding | None = None, embedded_values: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.query, self.key, self.value, self.out = query, key, value, out
        self.embedding = embedding
        self.heads, self.scores, self.embedded_values = heads, scores, embedded_values

    def forward(self, a: Tensor, mask: Tensor | None = None) -> Tensor:
        """(n, *space, channels) to (n, *space, out); ``mask`` (n, *space) is true at masked positions."""
        x = a.flatten(1, -2)
        mask = None if mask is None else mask.flatten(1)
        seen = x if self.embedding is None else self.embedding(x, mask)
        keys = self._split(self.key(seen))
        queries = keys if self.query is None else self._split(self.query(seen))
        values = self._split(self.value(seen if self.embedded_values else x))
        attended = self.scores(queries, keys, mask) @ values
        z: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return z.reshape(*a.shape[:-1], z.shape[-1])

    def _split(self, z: Tensor) -> Tensor:
        """(n, L, heads·d) as (n, heads, L, d)"""
        return z.reshape(*z.shape[:-1], self.heads, -1).transpose(1, 2)

    def extra_repr(self) -> str:
        return f"heads={self.heads}"


def _softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Not minus infinity: a sample without any key has finite weights, which nobody sees."""
    return torch.softmax(scores if mask is None else scores.masked_fill(mask, -1e20), dim=-1)


def _flat(scores: Tensor, _: Tensor | None) -> Tensor:
    return torch.full_like(scores, 1 / scores.shape[-1])


def _each(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor | None], Tensor]:
    """A function of every score alone, which has to be 0 at 0."""
    return lambda scores, mask: function(scores if mask is None else scores.masked_fill(mask, 0.0))


MECHANISMS: dict[str, Callable[[Tensor, Tensor | None], Tensor]] = {
    "SOFTMAX": _softmax,
    "IDENTITY": _each(lambda scores: scores),
    "RELU": _each(torch.relu),
    "ABS": _each(torch.abs),
    "FLAT": _flat,
}


def root(R: Tensor) -> Tensor | None:
    """The symmetric R^½ of a covariance; None if R has negative eigenvalues, so that it is none."""
    values, vectors = torch.linalg.eigh(R)
    if values[0] < -1e-10 * values[-1]:
        return None
    half: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return half
