"""Self-attention in the limit of infinitely many heads."""

from __future__ import annotations

from typing import Literal

from ntklab.spec.base import NonNegative, Positive, Spec
from ntklab.spec.weights import Width


class SelfAttention(Spec, frozen=True, tag=True):
    """Heads ζ(Q(x)·K(x)ᵀ)·V(x), joined by an output matrix (Hron et al. 2020, arXiv:2006.10540).

    ``linear_scaling``: queries and keys are tied and their products divided by n_chan_key (the scores are then
    deterministic in the limit); else by √n_chan_key, for which only IDENTITY and FLAT have a closed form.
    Positional embeddings are added to (SUM) or joined with (CONCAT) the input of queries and keys, and of values too
    with ``val_pos_emb``; their covariance is that of one-hot positions, or decays with distance (``pos_emb_decay``).
    All spatial axes together are the positions.
    """

    n_chan_out: Width
    n_chan_key: Width
    n_chan_val: Width
    n_heads: Width
    linear_scaling: bool = True
    mechanism: Literal["SOFTMAX", "IDENTITY", "RELU", "ABS", "FLAT"] = "SOFTMAX"
    W_key_std: Positive = 1.0
    W_value_std: Positive = 1.0
    W_query_std: Positive = 1.0
    W_out_std: Positive = 1.0
    b_std: NonNegative | None = None
    pos_emb_type: Literal["NONE", "SUM", "CONCAT"] = "NONE"
    pos_emb_p_norm: Positive = 2.0
    pos_emb_decay: Literal["exp_neg_half_d", "inv_1_plus_d2"] | None = None
    n_chan_pos_emb: Width | None = None
    W_pos_emb_std: NonNegative = 1.0
    val_pos_emb: bool = False
