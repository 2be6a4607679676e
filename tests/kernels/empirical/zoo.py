"""Modules of every kind, as users write them; each with the samples it takes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

Case = tuple[Callable[[], nn.Module], tuple[int, ...]]


class Through(nn.Module):
    """A module of named parts, run by a function of them and the input."""

    def __init__(self, run, **parts):
        super().__init__()
        self.run = run
        for name, part in parts.items():
            if isinstance(part, Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, x):
        return self.run(self, x)


def parameter(*shape, scale=0.6):
    return nn.Parameter(torch.randn(*shape) * scale)


def then(body, features, outputs=3):
    """``body``, whatever it gives, and a dense layer on the flat result."""
    return nn.Sequential(body, nn.Flatten(), nn.Linear(features, outputs))


def statistics(model):
    """Batch normalisation that has seen something."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return model


def mlp():
    return nn.Sequential(
        nn.Linear(6, 7), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(7, 7), nn.GELU(), nn.Linear(7, 3)
    )


def tied():
    return Through(
        lambda m, x: m.out(torch.tanh(functional.linear(torch.tanh(m.enc(x)), m.enc.weight.t(), m.b))),
        enc=nn.Linear(6, 4),
        b=parameter(6),
        out=nn.Linear(6, 3),
    )


def tied_layers():
    model = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6, bias=False))
    model[2].weight = model[0].weight
    return model


def tied_bias():
    model = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6))
    model[2].bias = model[0].bias
    return model


def twice():
    return Through(lambda m, x: m.o(torch.tanh(m.a(torch.relu(m.a(x))))), a=nn.Linear(6, 6), o=nn.Linear(6, 2))


def conv_twice():
    return Through(
        lambda m, x: m.o(torch.tanh(m.c(torch.tanh(m.c(x)))).flatten(1)),
        c=nn.Conv1d(2, 2, 3, padding=1),
        o=nn.Linear(10, 2),
    )


def raw():
    def run(m, x):
        h = torch.relu_(x @ m.W + m.b)
        h = h * m.s / (1 + m.s**2).sqrt()
        h += m.b
        return m.g * torch.einsum("nd,od->no", h, m.V)

    return Through(run, W=parameter(6, 5), b=parameter(5), s=parameter(5), g=parameter(1), V=parameter(3, 5))


def behind_its_back():
    return Through(lambda m, x: m.layer(x) + x @ m.layer.weight, layer=nn.Linear(6, 6))


def views_in_place():
    def run(m, x):
        h = m.a(x)
        h[:, :2] *= m.p
        v = h.view(-1, 2, 3)
        v[:, 1] = torch.tanh(v[:, 0])
        h.relu_()
        return m.o(h)

    return Through(run, a=nn.Linear(6, 6), p=parameter(2), o=nn.Linear(6, 3))


def residual_in_place():
    def run(m, x):
        h = m.first(x)
        z = m.second(torch.tanh(h))
        h += torch.relu_(z)
        return m.out(input=h)

    return Through(run, first=nn.Linear(6, 6), second=nn.Linear(6, 6, bias=False), out=nn.Linear(6, 3))


def lora():
    model = Through(
        lambda m, x: m.o(torch.relu(functional.linear(x, m.W.weight + m.B @ m.A, m.W.bias))),
        W=nn.Linear(6, 6),
        A=parameter(2, 6),
        B=parameter(6, 2),
        o=nn.Linear(6, 3),
    )
    model.W.weight.requires_grad_(False)
    return model


def detached():
    return Through(
        lambda m, x: m.a(x) * m.a.weight.detach().sum() + m.b(x).detach() * m.s + m.a(x.detach()),
        a=nn.Linear(6, 3),
        b=nn.Linear(6, 3),
        s=parameter(1),
    )


def scalars():
    return Through(
        lambda m, x: m.scale * torch.tanh(m.a(x) / m.temperature.exp()) + m.shift - m.shift**2 * m.a(x),
        a=nn.Linear(6, 3),
        scale=parameter(1),
        temperature=parameter(1),
        shift=parameter(3),
    )


def tokens():
    return Through(lambda m, x: m.out(torch.tanh(m.each(x)).mean(1)), each=nn.Linear(3, 5), out=nn.Linear(5, 2))


def batchnorm():
    return statistics(
        nn.Sequential(
            nn.Conv2d(2, 6, 3, padding=1, bias=False),
            nn.BatchNorm2d(6),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 6, 2, groups=3),
            nn.GroupNorm(2, 6),
            nn.ELU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(6, 3),
        )
    )


class Block(nn.Module):
    """A residual block with group normalisation and a projection."""

    def __init__(self, width, out, stride):
        super().__init__()
        self.one, self.two = nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.GroupNorm(2, out), nn.GroupNorm(2, out)
        self.short = nn.Conv2d(width, out, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        h = functional.relu(self.norm1(self.one(x)), inplace=True)
        h = self.norm2(self.two(h))
        h += self.short(x)
        return functional.relu(h, inplace=True)


def resnet():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        Block(4, 4, 1),
        Block(4, 6, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    )


def attention(batch_first=True, **options):
    def run(m, x):
        x = x if batch_first else x.transpose(0, 1)
        h = m.a(x, x, x, need_weights=False)[0]
        return m.o(h.mean(1 if batch_first else 0))

    return Through(run, a=nn.MultiheadAttention(8, 2, batch_first=batch_first, **options), o=nn.Linear(8, 3))


def cross_attention():
    return Through(
        lambda m, x: m.o(m.a(m.q.expand(len(x), -1, -1), x, x)[0].flatten(1)),
        q=parameter(1, 2, 8),
        a=nn.MultiheadAttention(8, 2, kdim=5, vdim=5, batch_first=True),
        o=nn.Linear(16, 3),
    )


def class_token():
    def run(m, x):
        x = torch.cat([m.cls.expand(len(x), -1, -1), x], 1) + m.pos[:, : x.shape[1] + 1]
        return m.o(m.t(x)[:, 0])

    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.1)
    return Through(run, cls=parameter(1, 1, 8), pos=parameter(1, 7, 8), t=layer, o=nn.Linear(8, 3))


def encoder():
    layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=True, activation="gelu")
    return then(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), 24)


def masked():
    def run(m, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
        return m.o(m.t(x, mask, is_causal=True)[:, -1])

    return Through(run, t=nn.TransformerEncoderLayer(8, 2, 12, batch_first=True), o=nn.Linear(8, 2))


def decoder():
    return Through(
        lambda m, x: m.o(m.t(x[:, :2], x[:, 2:])[:, -1]),
        t=nn.TransformerDecoderLayer(8, 2, 12, batch_first=True),
        o=nn.Linear(8, 2),
    )


def recurrent(kind, width=6, **options):
    steps = 2 if options.get("bidirectional") else 1
    return Through(
        lambda m, x: m.o(m.r(x)[0][:, -1]),
        r=kind(5, width, batch_first=True, **options),
        o=nn.Linear(options.get("proj_size", width) * steps, 2),
    )


def cell(kind):
    def run(m, x):
        h = None
        for t in range(x.shape[1]):
            h = m.r(x[:, t], h)
        return m.o(h[0] if isinstance(h, tuple) else h)

    return Through(run, r=kind(5, 4), o=nn.Linear(4, 2))


def embedded():
    return Through(
        lambda m, t: m.out(torch.tanh(m.l(m.e(t) + m.p(torch.arange(t.shape[1])))).mean(1)),
        e=nn.Embedding(11, 6, padding_idx=2),
        p=nn.Embedding(4, 6),
        l=nn.Linear(6, 6),
        out=nn.Linear(6, 3),
    )


def tied_embedding():
    model = Through(
        lambda m, t: m.h(torch.tanh(m.l(m.e(t)).mean(1))),
        e=nn.Embedding(11, 6),
        l=nn.Linear(6, 6),
        h=nn.Linear(6, 11, bias=False),
    )
    model.h.weight = model.e.weight
    return model


def bag():
    return Through(lambda m, t: m.o(torch.tanh(m.e(t))), e=nn.EmbeddingBag(11, 6, mode="sum"), o=nn.Linear(6, 3))


def fourier():
    def run(m, x):
        return m.o(torch.fft.irfft(torch.einsum("nci,coi->noi", torch.fft.rfft(x), m.W), n=x.shape[-1]).flatten(1))

    return Through(run, W=nn.Parameter(torch.randn(2, 2, 4, dtype=torch.complex128)), o=nn.Linear(12, 3))


def mixture():
    """Gates, experts in one tensor, and a product of matrices."""

    def run(m, x):
        gate = torch.softmax(m.gate(x), -1)
        experts = torch.tanh(torch.einsum("ni,eio->neo", x, m.W) + m.b)
        return m.o(torch.bmm(gate.unsqueeze(1), experts).squeeze(1))

    return Through(run, gate=nn.Linear(6, 3), W=parameter(3, 6, 4), b=parameter(3, 4), o=nn.Linear(4, 3))


def hyper():
    """Weights made from the sample, and a parameter from a buffer and a list."""
    return Through(
        lambda m, x: m.parts["a"](
            torch.bmm(m.make(x).view(-1, 4, 6), x.unsqueeze(2)).squeeze(2) * m.scale[1] + m.c * m.scale[0]
        ),
        make=nn.Linear(6, 24),
        scale=nn.ParameterList([parameter(4), parameter(1)]),
        c=torch.randn(4),
        parts=nn.ModuleDict({"a": nn.Linear(4, 2)}),
    )


def spectral():
    return nn.Sequential(parametrizations.spectral_norm(nn.Linear(6, 6)), nn.Tanh(), nn.Linear(6, 3))


def frozen():
    model = mlp()
    model[0].requires_grad_(False)
    model[3].bias.requires_grad_(False)
    return model


def scaled_conv():
    """Weight standardisation: a convolution by weights made in the forward pass."""

    def run(m, x):
        W = m.c.weight
        W = (W - W.mean((1, 2, 3), keepdim=True)) / W.std((1, 2, 3), keepdim=True)
        return m.o(torch.relu(functional.conv2d(x, W, m.c.bias, padding=1)).mean((2, 3)))

    return Through(run, c=nn.Conv2d(2, 4, 3), o=nn.Linear(4, 3))


def unet():
    def run(m, x):
        low = torch.relu(m.down(x))
        return m.out(torch.cat([x, m.up(low)], 1)).mean((2, 3))

    return Through(run, down=nn.Conv2d(2, 4, 2, 2), up=nn.ConvTranspose2d(4, 2, 2, 2), out=nn.Conv2d(4, 3, 1))


ZOO: dict[str, Case] = {
    "mlp": (mlp, (6,)),
    "one layer": (lambda: nn.Linear(6, 3), (6,)),
    "no bias": (lambda: nn.Sequential(nn.Linear(6, 4, bias=False), nn.Tanh(), nn.Linear(4, 1, bias=False)), (6,)),
    "tied": (tied, (6,)),
    "tied layers": (tied_layers, (6,)),
    "tied bias": (tied_bias, (6,)),
    "called twice": (twice, (6,)),
    "convolution called twice": (conv_twice, (2, 5)),
    "functional": (raw, (6,)),
    "behind its back": (behind_its_back, (6,)),
    "in place on views": (views_in_place, (6,)),
    "residual in place": (residual_in_place, (6,)),
    "lora": (lora, (6,)),
    "detached": (detached, (6,)),
    "scalars": (scalars, (6,)),
    "frozen": (frozen, (6,)),
    "tokens": (tokens, (4, 3)),
    "weight norm": (
        lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(6, 5)), nn.Tanh(), nn.Linear(5, 3)),
        (6,),
    ),
    "weight norm of a convolution": (lambda: then(parametrizations.weight_norm(nn.Conv2d(2, 4, 3)), 16), (2, 4, 4)),
    "spectral norm": (spectral, (6,)),
    "orthogonal": (
        lambda: nn.Sequential(parametrizations.orthogonal(nn.Linear(6, 6)), nn.Tanh(), nn.Linear(6, 3)),
        (6,),
    ),
    "batch norm": (batchnorm, (2, 6, 6)),
    "batch norm of vectors": (
        lambda: statistics(nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3))),
        (6,),
    ),
    "layer norm": (lambda: nn.Sequential(nn.Linear(6, 5), nn.LayerNorm(5), nn.SiLU(), nn.Linear(5, 3)), (6,)),
    "layer norm of tokens": (lambda: then(nn.Sequential(nn.LayerNorm((4, 3)), nn.Linear(3, 2)), 8), (4, 3)),
    "rms norm": (lambda: nn.Sequential(nn.RMSNorm(6), nn.Linear(6, 5), nn.SiLU(), nn.Linear(5, 3)), (6,)),
    "instance norm": (
        lambda: then(nn.Sequential(nn.Conv2d(2, 3, 3), nn.InstanceNorm2d(3, affine=True), nn.ReLU()), 12),
        (2, 4, 4),
    ),
    "resnet": (resnet, (2, 6, 6)),
    "unet": (unet, (2, 4, 4)),
    "conv1d": (lambda: then(nn.Sequential(nn.Conv1d(2, 4, 3, stride=2, padding=1), nn.GELU()), 16), (2, 8)),
    "conv3d": (lambda: then(nn.Sequential(nn.Conv3d(2, 3, 2), nn.GELU()), 24), (2, 3, 3, 3)),
    "dilated, same": (
        lambda: then(nn.Sequential(nn.Conv2d(2, 3, 3, padding="same", dilation=2), nn.ReLU()), 75),
        (2, 5, 5),
    ),
    "even kernel, same": (lambda: then(nn.Sequential(nn.Conv1d(2, 3, 4, padding="same"), nn.ReLU()), 15), (2, 5)),
    "circular": (
        lambda: then(nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), nn.ReLU()), 48),
        (2, 4, 4),
    ),
    "grouped": (
        lambda: then(nn.Sequential(nn.Conv2d(4, 6, 3, groups=2, padding=1, stride=2), nn.ReLU()), 24),
        (4, 4, 4),
    ),
    "depthwise": (lambda: then(nn.Sequential(nn.Conv1d(3, 6, 2, groups=3), nn.Tanh()), 24), (3, 5)),
    "transposed": (lambda: then(nn.Sequential(nn.ConvTranspose2d(2, 3, 3, 2, 1, 1), nn.ReLU()), 108), (2, 3, 3)),
    "transposed, dilated": (
        lambda: then(nn.Sequential(nn.ConvTranspose1d(2, 3, 2, dilation=2), nn.ReLU()), 18),
        (2, 4),
    ),
    "transposed, grouped": (
        lambda: then(nn.Sequential(nn.ConvTranspose1d(4, 4, 2, 2, groups=2), nn.ReLU()), 24),
        (4, 3),
    ),
    "transposed 3d": (lambda: then(nn.Sequential(nn.ConvTranspose3d(1, 2, 2), nn.ReLU()), 54), (1, 2, 2, 2)),
    "weights made in the pass": (scaled_conv, (2, 4, 4)),
    "attention": (attention, (4, 8)),
    "attention, batch second": (lambda: attention(batch_first=False), (4, 8)),
    "attention with bias of keys": (lambda: attention(add_bias_kv=True), (4, 8)),
    "cross attention": (cross_attention, (4, 5)),
    "class token": (class_token, (4, 8)),
    "encoder": (encoder, (3, 8)),
    "causal": (masked, (3, 8)),
    "decoder": (decoder, (4, 8)),
    "lstm": (lambda: recurrent(nn.LSTM), (4, 5)),
    "lstm of two layers, both ways": (lambda: recurrent(nn.LSTM, 4, num_layers=2, bidirectional=True), (3, 5)),
    "lstm, projected": (lambda: recurrent(nn.LSTM, 4, proj_size=3), (3, 5)),
    "gru": (lambda: recurrent(nn.GRU), (4, 5)),
    "rnn": (lambda: recurrent(nn.RNN), (4, 5)),
    "lstm cell": (lambda: cell(nn.LSTMCell), (3, 5)),
    "gru cell": (lambda: cell(nn.GRUCell), (3, 5)),
    "embedding": (embedded, (4, 11)),
    "tied embedding": (tied_embedding, (4, 11)),
    "embedding bag": (bag, (4, 11)),
    "bilinear": (
        lambda: Through(
            lambda m, x: m.o(m.p(m.b(x, torch.sin(x)))), b=nn.Bilinear(6, 6, 5), p=nn.PReLU(5), o=nn.Linear(5, 3)
        ),
        (6,),
    ),
    "prelu": (lambda: nn.Sequential(nn.Linear(6, 5), nn.PReLU(), nn.Linear(5, 3)), (6,)),
    "gated": (lambda: then(nn.Sequential(nn.Linear(6, 8), nn.GLU()), 4), (6,)),
    "pairwise": (lambda: then(nn.Sequential(nn.Conv2d(2, 4, 1), nn.PixelShuffle(2), nn.AvgPool2d(2)), 9), (2, 3, 3)),
    "softmax": (lambda: nn.Sequential(nn.Linear(6, 4), nn.LogSoftmax(-1)), (6,)),
    "fourier": (fourier, (2, 6)),
    "mixture": (mixture, (6,)),
    "weights from the sample": (hyper, (6,)),
    "unfold": (lambda: then(nn.Sequential(nn.Unfold(2), nn.Conv1d(8, 3, 1)), 27), (2, 4, 4)),
    "upsampled": (
        lambda: then(nn.Sequential(nn.Conv2d(2, 2, 1), nn.Upsample(scale_factor=2, mode="bilinear")), 72),
        (2, 3, 3),
    ),
}

TOKENS = {"embedding", "tied embedding", "embedding bag"}


def made(name, seed=0):
    """The module of this name in double precision, ready for evaluation."""
    torch.manual_seed(seed)
    return ZOO[name][0]().double().eval()


def drawn(name, n, seed=1):
    """Samples that it takes."""
    shape = ZOO[name][1]
    generator = torch.Generator().manual_seed(seed)
    if name in TOKENS:
        return torch.randint(0, shape[-1], (n, *shape[:-1]), generator=generator)
    return torch.randn(n, *shape, generator=generator, dtype=torch.float64)
