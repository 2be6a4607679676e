"""Self-attention and transformer encoders."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ntklab import spec
from ntklab.networks.lift.context import Constant, Spot
from ntklab.networks.lift.shaping import is_channel, need_channels, shown
from ntklab.networks.lift.values import Step, Value
from ntklab.networks.lift.weights import kaiming, xavier

_SCALED = (
    "softmax attention with its products divided by the number of key channels, queries and keys tied "
    '(attention="linear_scaling"), not by its square root as in the module'
)
_BIASES = "biases of queries, keys and values, 0 at initialisation, are left out"
_COPIES = "its layers begin as copies of one; the architecture takes them as drawn independently"


def multihead_attention(  # noqa: PLR0913 (torch's arguments)
    spot: Spot,
    module: nn.MultiheadAttention,
    query: Value,
    key: Value,
    value: Value,
    key_padding_mask: Any = None,
    need_weights: bool = True,  # noqa: ARG001
    attn_mask: Any = None,
    average_attn_weights: bool = True,  # noqa: ARG001
    is_causal: bool = False,
) -> tuple[Value, None]:
    """``nn.MultiheadAttention`` of a sequence with itself: SelfAttention, if the user chose how to scale it."""
    _need_self_attention(spot, module, (query, key, value))
    if key_padding_mask is not None or attn_mask is not None or is_causal:
        spot.refuse("masked attention has no rule", "leave the masks out; see mask_constant for padded tokens")
    if module.training and module.dropout > 0:
        spot.refuse("dropout of attention weights has no rule", "call .eval(), or use dropout=0")
    linear = _scaling(spot)
    layer = _self_attention(spot, module, linear)
    name = spot.path
    return query.then(spot.place, Step(layer, (name,))), None


def _need_self_attention(spot: Spot, module: nn.MultiheadAttention, inputs: tuple[Value, ...]) -> None:
    query = inputs[0]
    if any(other is not query for other in inputs):
        spot.refuse("queries, keys and values are not one tensor", "only self-attention, attn(x, x, x), has a rule")
    if not module.batch_first:
        spot.refuse("its first axis is that of positions, not of the batch", "use batch_first=True")
    if len(query.axes) != 2 or not is_channel(query, 1) or len(query.shape) < 2:
        spot.mislaid(
            f"expected values (n, positions, channels), got {shown(query.sizes)}", "flatten positions, channels last"
        )
    need_channels(spot, query, 1, module.embed_dim)
    if module.bias_k is not None or module.add_zero_attn:
        spot.refuse("add_bias_kv and add_zero_attn have no rule", "leave them out")


def _scaling(spot: Spot) -> bool:
    """Whether products are divided by the key channels instead of by their square root: as the user chose."""
    choice = spot.settings.attention
    if choice is None:
        reason = "softmax attention with scores divided by √d has no infinite-width rule in closed form"
        spot.refuse(reason, 'accept scores divided by d with attention="linear_scaling" (Hron et al. 2020), or keep '
                            'them for Monte Carlo with attention="standard"')  # fmt: skip
    if choice == "linear_scaling":
        spot.chose(_SCALED)
        return True
    spot.obstruct("softmax attention with scores divided by √d has no closed form", "use attention='linear_scaling'")
    return False


def _self_attention(spot: Spot, module: nn.MultiheadAttention, linear: bool) -> spec.SelfAttention:
    width = module.embed_dim
    head = width // module.num_heads
    parts = _projections(spot, module)
    scales = spot.settings.scales
    stds = [scales.weight(spot.place, part, width, xavier(width, fan_out), name=spot.path) for part, fan_out in parts]
    out, bias = module.out_proj.weight, module.out_proj.bias
    _use(spot, module)
    _note_biases(spot, module)
    W_out_std = scales.weight(spot.place, out, width, kaiming(width), name=spot.path)
    b_std = scales.bias(spot.place, bias, 0.0, name=spot.path)
    return spec.SelfAttention(
        n_chan_out=width, n_chan_key=head, n_chan_val=head, n_heads=module.num_heads, linear_scaling=linear,
        W_query_std=stds[0], W_key_std=stds[1], W_value_std=stds[2], W_out_std=W_out_std, b_std=b_std,
    )  # fmt: skip


def _projections(spot: Spot, module: nn.MultiheadAttention) -> list[tuple[Tensor, int]]:
    """Weights of queries, keys and values, each with the fan_out of its initialisation: joined ones share one draw."""
    width = module.embed_dim
    joined = module.in_proj_weight
    if joined is not None:
        return [(part, 3 * width) for part in joined.chunk(3)]
    if (module.kdim, module.vdim) != (width, width):
        spot.refuse("keys and values have other channels than queries", "use kdim=vdim=embed_dim")
    return [(part, width) for part in (module.q_proj_weight, module.k_proj_weight, module.v_proj_weight)]


def _use(spot: Spot, module: nn.MultiheadAttention) -> None:
    settings = spot.settings
    spot.use(*(Constant(p, settings.name(p, f"{spot.path}.{n}")) for n, p in module.named_parameters()))


def _note_biases(spot: Spot, module: nn.MultiheadAttention) -> None:
    bias = module.in_proj_bias
    if bias is None:
        return
    if not bias.is_meta and bool(bias.detach().any()):
        spot.refuse("queries, keys and values have biases other than 0", "set in_proj_bias to 0, or use bias=False")
    spot.differs(_BIASES)


def encoder_layer(
    _: Spot, module: nn.TransformerEncoderLayer, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None,
    is_causal: bool = False,
) -> Any:  # fmt: skip
    """What ``nn.TransformerEncoderLayer`` computes, without its fast path; its parts have rules of their own."""

    def attend(x: Any) -> Any:
        found = module.self_attn(
            x, x, x, attn_mask=src_mask, key_padding_mask=src_key_padding_mask, is_causal=is_causal,
            need_weights=False,
        )  # fmt: skip
        return module.dropout1(found[0])

    def feed(x: Any) -> Any:
        hidden = module.dropout(module.activation(module.linear1(x)))
        return module.dropout2(module.linear2(hidden))

    if module.norm_first:
        x = src + attend(module.norm1(src))
        return x + feed(module.norm2(x))
    x = module.norm1(src + attend(src))
    return module.norm2(x + feed(x))


def encoder(
    spot: Spot, module: nn.TransformerEncoder, src: Any, mask: Any = None, src_key_padding_mask: Any = None,
    is_causal: bool | None = None,
) -> Any:  # fmt: skip
    """What ``nn.TransformerEncoder`` computes."""
    x = src
    for layer in module.layers:
        x = layer(x, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal))
    if len(module.layers) > 1 and _are_copies(module.layers):
        spot.differs(_COPIES)
    return x if module.norm is None else module.norm(x)


def _are_copies(layers: nn.ModuleList) -> bool:
    first, second = (next(layer.parameters()) for layer in (layers[0], layers[1]))
    return not first.is_meta and first.shape == second.shape and bool((first == second).all())
