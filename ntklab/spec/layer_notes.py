"""Words for people about layers and their fields."""

from __future__ import annotations

from ntklab.spec.note import (
    ACTIVATIONS,
    ATTENTION,
    CONVOLUTION,
    NORMALISATION,
    POOLING,
    POSITIONS,
    STRUCTURE,
    WEIGHTS,
    Note,
)

LAYER_TITLES: dict[str, tuple[str, str]] = {
    "Dense": ("Dense", WEIGHTS),
    "Conv": ("Convolution", CONVOLUTION),
    "ConvTranspose": ("Transposed convolution", CONVOLUTION),
    "ConvLocal": ("Local convolution", CONVOLUTION),
    "SelfAttention": ("Self-attention", ATTENTION),
    "AvgPool": ("Average pooling", POOLING),
    "SumPool": ("Sum pooling", POOLING),
    "GlobalAvgPool": ("Global average pooling", POOLING),
    "GlobalSumPool": ("Global sum pooling", POOLING),
    "LayerNorm": ("Layer norm", NORMALISATION),
    "ImageResize": ("Resize", POSITIONS),
    "Index": ("Slice", POSITIONS),
    "DotGeneral": ("Product with an array", POSITIONS),
    "Aggregate": ("Graph aggregation", POSITIONS),
    "Branch": ("Residual block", STRUCTURE),
    "Dropout": ("Dropout", STRUCTURE),
    "Flatten": ("Flatten", STRUCTURE),
    "Relu": ("ReLU", ACTIVATIONS),
    "LeakyRelu": ("Leaky ReLU", ACTIVATIONS),
    "ABRelu": ("Two-slope ReLU", ACTIVATIONS),
    "Abs": ("Absolute value", ACTIVATIONS),
    "Elu": ("ELU", ACTIVATIONS),
    "Selu": ("SELU", ACTIVATIONS),
    "Erf": ("Erf", ACTIVATIONS),
    "Gelu": ("GELU", ACTIVATIONS),
    "Sin": ("Sine", ACTIVATIONS),
    "Cos": ("Cosine", ACTIVATIONS),
    "Rbf": ("RBF feature", ACTIVATIONS),
    "Gaussian": ("Gaussian", ACTIVATIONS),
    "Exp": ("Exponential", ACTIVATIONS),
    "Gabor": ("Gabor", ACTIVATIONS),
    "Sign": ("Sign", ACTIVATIONS),
    "Sigmoid_like": ("Sigmoid-like", ACTIVATIONS),
    "Polynomial": ("Polynomial", ACTIVATIONS),
    "Monomial": ("Monomial", ACTIVATIONS),
    "RectifiedMonomial": ("Rectified monomial", ACTIVATIONS),
    "Hermite": ("Hermite polynomial", ACTIVATIONS),
    "ExpNormalized": ("Normalised exponential", ACTIVATIONS),
    "Numerical": ("Tanh, softplus, …", ACTIVATIONS),
    "Elementwise": ("Function of torch", ACTIVATIONS),
}

CAPTIONS: dict[str, str] = {
    "Dense": "Dense {width}",
    "Conv": "Conv {kernel}, {channels}",
    "ConvTranspose": "Transposed conv {kernel}, {channels}",
    "ConvLocal": "Local conv {kernel}, {channels}",
    "SelfAttention": "Attention ({mechanism}), {n_chan_out}",
    "AvgPool": "Average pool {window}",
    "SumPool": "Sum pool {window}",
    "GlobalAvgPool": "Global average pool",
    "GlobalSumPool": "Global sum pool",
    "ImageResize": "Resize to {shape}",
    "Dropout": "Dropout {keep_rate:g}",
    "LeakyRelu": "Leaky ReLU {alpha:g}",
    "Monomial": "x^{degree}",
    "RectifiedMonomial": "ReLU^{degree}",
    "Hermite": "Hermite {degree}",
    "Elu": "ELU {alpha:g}",
    "Numerical": "{fn}",
    "Elementwise": "{fn}",
}

_DEGREE = Note("Degree", "Degree of the polynomial", (0, 10))
_AMPLITUDE = Note("Amplitude a", "Factor in front of the function", (-2.0, 2.0), 0.1)
_FREQUENCY = Note("Scale b", "Factor on the argument of the function", (-2.0, 2.0), 0.1)
_PHASE = Note("Phase c", "Added to the argument of the function, in radians", (-3.2, 3.2), 0.1)
_GAMMA = Note("Gamma", "Inverse squared length scale", (0.01, 10.0), 0.1, log=True)

_WEIGHTS: dict[str, Note] = {
    "W_std": Note("W_std", "Standard deviation of the weights: √2 keeps the variance through ReLU", (0.1, 3.0), 0.05),
    "b_std": Note("b_std", "Standard deviation of the biases", (0.0, 2.0), 0.05, none="no bias", start=0.1),
    "param": Note(
        "Parameterisation",
        "ntk: unit-variance weights times W_std/√fan_in; standard: that factor in their variance; mup: as ntk, and the "
        "read-out divided by another √fan_in, with the same kernels of √n·f in the limit",
    ),
    "s": Note(
        "Width factors s", "Standard parameterisation: true input and output width over the written width", (0.1, 10.0)
    ),
}
_PADDING = Note("Padding", "SAME pads with zeros, VALID not at all, CIRCULAR wraps around")
_STRIDE = Note("Stride", "Steps of the window along each spatial axis", (1, 4), none="1 everywhere", start=(2, 2))
_CONVOLUTION: dict[str, Note] = {
    "channels": Note(
        "Channels", "Number of channels of the finite network; the infinite kernel ignores it", (1, 1024), log=True
    ),
    "kernel": Note("Kernel size", "Size of the filter along each spatial axis", (1, 7)),
    "stride": _STRIDE,
    "padding": _PADDING,
    **_WEIGHTS,
}
_POOL: dict[str, Note] = {
    "window": Note("Window", "Size of the window along each spatial axis", (1, 7)),
    "stride": _STRIDE,
    "padding": _PADDING,
}
_ATTENTION: dict[str, Note] = {
    "n_chan_out": Note("Channels", "Number of channels that come out of the finite network", (1, 1024), log=True),
    "n_chan_key": Note("Key channels", "Channels of the keys and queries of each head", (1, 1024), log=True),
    "n_chan_val": Note("Value channels", "Channels of the values of each head", (1, 1024), log=True),
    "n_heads": Note("Heads", "Number of heads of the finite network; infinitely many in the limit", (1, 256), log=True),
    "linear_scaling": Note(
        "Linear scaling", "Ties queries to keys and divides their products by the key channels, not by the square root"
    ),
    "mechanism": Note("Mechanism", "What turns the scores of a position into its attention weights"),
    "W_key_std": Note("W_key_std", "Standard deviation of the key weights", (0.1, 3.0), 0.05),
    "W_value_std": Note("W_value_std", "Standard deviation of the value weights", (0.1, 3.0), 0.05),
    "W_query_std": Note("W_query_std", "Standard deviation of the query weights", (0.1, 3.0), 0.05),
    "W_out_std": Note("W_out_std", "Standard deviation of the output weights", (0.1, 3.0), 0.05),
    "b_std": _WEIGHTS["b_std"],
    "pos_emb_type": Note("Positional embedding", "Added to the input (SUM), joined with it (CONCAT), or none"),
    "pos_emb_p_norm": Note("Distance power", "Power of the distance between positions in the decay", (0.5, 4.0), 0.5),
    "pos_emb_decay": Note(
        "Decay", "How the covariance of two positions falls with their distance", none="uncorrelated",
        start="exp_neg_half_d",
    ),
    "n_chan_pos_emb": Note(
        "Embedding channels", "Channels of a joined positional embedding", (1, 1024), log=True, none="as the input",
        start=64,
    ),
    "W_pos_emb_std": Note("W_pos_emb_std", "Standard deviation of the positional embedding", (0.0, 3.0), 0.05),
    "val_pos_emb": Note("Embed values", "Give the positional embedding to the values too"),
}  # fmt: skip


def _of(names: tuple[str, ...], notes: dict[str, Note]) -> dict[str, Note]:
    return {f"{name}.{field}": note for name in names for field, note in notes.items()}


LAYER_NOTES: dict[str, Note] = {
    "Dense.width": Note(
        "Width", "Number of units of the finite network; the infinite kernel ignores it", (1, 4096), log=True
    ),
    **_of(("Dense",), _WEIGHTS),
    **_of(("Conv", "ConvTranspose", "ConvLocal"), _CONVOLUTION),
    **_of(("AvgPool", "SumPool"), _POOL),
    "AvgPool.normalize_edges": Note("Normalise edges", "Divide by the number of positions inside the image"),
    **_of(("SelfAttention",), _ATTENTION),
    "LayerNorm.axis": Note("Axes", "Axes normalised over: −1 is channels, 1 the first spatial axis", (-1, 3)),
    "LayerNorm.eps": Note("Epsilon", "Added to the variance", (0.0, 0.1), 0.001),
    "ImageResize.shape": Note("Shape", "Sizes of batch, spatial axes and channels; −1 keeps an axis", (-1, 64)),
    "ImageResize.method": Note("Method", "How values between pixels are found"),
    "ImageResize.antialias": Note("Antialias", "Smooth before shrinking"),
    "Index.slices": Note("Slices", "[start, stop, step] for batch, each spatial axis and channels; none is open"),
    "DotGeneral.array": Note("Array", "A number, or lists of lists of numbers"),
    "DotGeneral.dimension_numbers": Note(
        "Dimension numbers", "[[contracted axes of left, of right], [batch axes of left, of right]]"
    ),
    "DotGeneral.side": Note("Side", "On which side of the product the array stands"),
    "Aggregate.axis": Note("Axes", "Spatial axes that the pattern connects: 1 is the first", (1, 3)),
    "Dropout.keep_rate": Note("Keep rate", "Probability that a unit is kept", (0.1, 1.0), 0.05),
    "Dropout.mode": Note("Mode", "train drops units; test does nothing"),
    "Branch.branches": Note("Branches", "Parallel stacks of layers on the same input; an empty one is the identity"),
    "Branch.merge": Note("Merge", "How the ends of the branches are joined: added, side by side, or multiplied"),
    "Branch.axis": Note("Axis", "Axis along which branches are put side by side", (-1, 3), none="channels", start=-1),
    "LeakyRelu.alpha": Note("Slope α", "Slope below 0", (0.0, 1.0), 0.05),
    "ABRelu.a": Note("Slope a", "Slope below 0", (-2.0, 2.0), 0.1),
    "ABRelu.b": Note("Slope b", "Slope above 0", (-2.0, 2.0), 0.1),
    "Elu.alpha": Note("Scale α", "The function tends to −α below 0", (0.1, 2.0), 0.1),
    "Erf.a": _AMPLITUDE, "Erf.b": _FREQUENCY, "Erf.c": Note("Shift c", "Added to the function", (-2.0, 2.0), 0.1),
    "Sin.a": _AMPLITUDE, "Sin.b": _FREQUENCY, "Sin.c": _PHASE,
    "Cos.a": _AMPLITUDE, "Cos.b": _FREQUENCY, "Cos.c": _PHASE,
    "Rbf.gamma": _GAMMA,
    "Gaussian.a": _AMPLITUDE, "Gaussian.b": Note("Exponent b", "Factor on x² in the exponent", (-4.0, 0.0), 0.1),
    "Exp.a": _AMPLITUDE, "Exp.b": _FREQUENCY,
    "Polynomial.coef": Note("Coefficients", "Of 1, x, x², … in that order", (-2.0, 2.0), 0.1),
    "Monomial.degree": _DEGREE, "RectifiedMonomial.degree": _DEGREE, "Hermite.degree": _DEGREE,
    "ExpNormalized.gamma": _GAMMA,
    "ExpNormalized.shift": Note("Shift", "Added to the cosine in the exponent", (-2.0, 2.0), 0.1),
    "ExpNormalized.do_clip": Note("Clip", "Clip the cosine to [−1, 1]"),
    "Numerical.fn": Note("Function", "A function whose expectations are integrated numerically"),
    "Numerical.deg": Note("Nodes", "Least number of quadrature nodes a dimension", (5, 200)),
    "Elementwise.fn": Note("Function", "Its full name in torch, torch.special or torch.nn.functional"),
    "Elementwise.arguments": Note("Arguments", "Numbers that the function takes behind the tensor", (-2.0, 2.0), 0.1),
    "Elementwise.kinks": Note("Kinks", "Where it or its slope jumps, beside those found numerically", (-6.0, 6.0), 0.5),
}  # fmt: skip
