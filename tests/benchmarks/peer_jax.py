"""neural-tangents on the networks of ``empirical_modules``, for ``empirical_peers``: run by another Python that has it.

It has stopped at a version of jax that current ones replace: jax 0.4.23 and neural-tangents 0.6.5 work together. Lines
come in on standard input and answers go out, as ``empirical_peers`` describes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import jax
import neural_tangents as nt
import numpy as np
from empirical_clock import seconds
from jax import numpy as jnp
from neural_tangents import stax

Function = Callable[[Any, Any], Any]

METHODS = {
    "neural-tangents": nt.NtkImplementation.STRUCTURED_DERIVATIVES,
    "neural-tangents, Jacobians": nt.NtkImplementation.JACOBIAN_CONTRACTION,
}


def mlp(*sizes: int) -> tuple[Any, Function]:
    hidden = [part for width in sizes[1:-1] for part in (stax.Dense(width), stax.Relu())]
    init, apply, _ = stax.serial(*hidden, stax.Dense(sizes[-1]))
    return init(jax.random.PRNGKey(0), (1, sizes[0]))[1], apply


def cnn() -> tuple[Any, Function]:
    hidden = [part for _ in range(4) for part in (stax.Conv(64, (3, 3), padding="SAME"), stax.Relu())]
    init, apply, _ = stax.serial(*hidden, stax.GlobalAvgPool(), stax.Dense(10))
    return init(jax.random.PRNGKey(0), (1, 16, 16, 3))[1], apply


def transformer(places: int = 16, width: int = 64, heads: int = 4) -> tuple[Any, Function]:
    sizes = {
        "embedding": (width, width), "qkv": (width, 3 * width), "join": (width, width),
        "up": (width, 4 * width), "down": (4 * width, width), "head": (width, 10),
    }  # fmt: skip
    rng = np.random.default_rng(0)
    params = {
        name: (jnp.asarray(rng.normal(size=s, scale=s[0] ** -0.5), jnp.float32), jnp.zeros(s[1]))
        for name, s in sizes.items()
    }
    params |= {f"norm{i}": (jnp.ones(width), jnp.zeros(width)) for i in (1, 2, 3)}
    params["positions"] = jnp.asarray(0.02 * rng.normal(size=(places, width)), jnp.float32)

    def dense(p: Any, name: str, x: Any) -> Any:
        return x @ p[name][0] + p[name][1]

    def norm(p: Any, name: str, x: Any) -> Any:
        y = x - x.mean(-1, keepdims=True)
        return y / jnp.sqrt((y * y).mean(-1, keepdims=True) + 1e-5) * p[name][0] + p[name][1]

    def apply(p: Any, x: Any, **_: Any) -> Any:
        x = dense(p, "embedding", x) + p["positions"]
        q, k, v = (
            z.reshape(*z.shape[:-1], heads, -1) for z in jnp.split(dense(p, "qkv", norm(p, "norm1", x)), 3, axis=-1)
        )
        weights = jax.nn.softmax(jnp.einsum("nihd,njhd->nhij", q, k) / q.shape[-1] ** 0.5, axis=-1)
        x = x + dense(p, "join", jnp.einsum("nhij,njhd->nihd", weights, v).reshape(x.shape))
        x = x + dense(p, "down", jax.nn.gelu(dense(p, "up", norm(p, "norm2", x)), approximate=False))
        return dense(p, "head", norm(p, "norm3", x).mean(1))

    return params, apply


NETWORKS: dict[str, tuple[Callable[[], tuple[Any, Function]], tuple[int, ...]]] = {
    "mlp": (lambda: mlp(784, 512, 512, 10), (784,)),
    "wide-1": (lambda: mlp(784, 2048, 2048, 2048, 1), (784,)),
    "wide-10": (lambda: mlp(784, 2048, 2048, 2048, 10), (784,)),
    "cnn": (cnn, (16, 16, 3)),
    "transformer": (transformer, (16, 64)),
}


def prepared(method: str, network: str, n: int, outputs: str) -> Callable[[], float]:
    """A call that returns the seconds of one kernel; compiled already."""
    make, sample = NETWORKS[network]
    params, apply = make()
    x = jnp.asarray(np.random.default_rng(1).normal(size=(n, *sample)), jnp.float32)
    trace_axes = () if outputs == "full" else (-1,)
    kernel = jax.jit(nt.empirical_ntk_fn(apply, trace_axes, 0, implementation=METHODS[method]))

    kernel(x, None, params).block_until_ready()
    return lambda: seconds(lambda: kernel(x, None, params).block_until_ready())


def main() -> None:
    print(json.dumps(list(METHODS)), flush=True)
    once: Callable[[], float] | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            once = prepared(**asked) if asked else once
            answer: Any = once() if once else None
        except (KeyError, MemoryError, RuntimeError, ValueError, NotImplementedError) as error:
            once, answer = None, f"{type(error).__name__}: {error}"[:60]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
