"""Other ways to the same kernels in torch, for ``empirical_peers``: run by this Python or another that has the library.

Each returns all pairs of outputs for "full", (n, n) summed over outputs for "mean". Lines come in on standard input and
answers go out, as ``empirical_peers`` describes.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from importlib import import_module, util
from typing import Any

import torch
from empirical_clock import BY_CPU, seconds
from empirical_modules import NETWORKS, Network
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

Kernel = Callable[[], Tensor]


def tutorial(network: Network, x: Tensor, outputs: str) -> Kernel:
    """PyTorch's own tutorial on the NTK: vmap of jacrev for all parameters, then an einsum for each of them."""
    model = network.module()
    letters = "Naf,Mbf->NMab" if outputs == "full" else "Naf,Maf->NM"
    return lambda: torch.stack([torch.einsum(letters, J, J) for J in _jacobians(model, x, list(_named(model)))]).sum(0)


def layerwise(network: Network, x: Tensor, outputs: str) -> Kernel:
    """Jacobian contraction a parameter at a time: the largest Jacobian alone is held, and multiplied as a matrix."""
    model = network.module()
    flat = (0, 1) if outputs == "full" else (1, 2)

    def once() -> Tensor:
        total: Any = 0
        for name in _named(model):
            J = _jacobians(model, x, [name])[0].flatten(*flat)
            total = total + J @ J.T
        return total

    return once


def _named(model: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach() for name, p in model.named_parameters()}


def _jacobians(model: nn.Module, x: Tensor, names: list[str]) -> list[Tensor]:
    """(n, k, numbers of the parameter) each."""
    named = _named(model)

    def f(part: dict[str, Tensor], sample: Tensor) -> Tensor:
        return functional_call(model, {**named, **part}, (sample.unsqueeze(0),)).squeeze(0)

    found = vmap(jacrev(f), in_dims=(None, 0))({name: named[name] for name in names}, x)
    return [J.flatten(2) for J in found.values()]


def nngeometry(network: Network, x: Tensor, outputs: str) -> Kernel:
    """Its dense matrix in function space; all pairs of outputs."""
    backend, objects = import_module("nngeometry.backend"), import_module("nngeometry.object")
    model = network.module()
    if outputs != "full":
        raise NotImplementedError("no mean over outputs")
    generator = backend.TorchHooksJacobianBackend(model=model, function=lambda batch, *_: model(batch))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, torch.zeros(len(x))), batch_size=len(x))
    return lambda: objects.FMatDense(generator=generator, examples=loader).data


def backpack(network: Network, x: Tensor, outputs: str) -> Kernel:
    """Gradients of every sample, an output at a time, then the product of all of them."""
    library, extensions = import_module("backpack"), import_module("backpack.extensions")
    model = library.extend(network.module())

    def once() -> Tensor:
        rows = []
        for output in range(network.outputs):
            model.zero_grad()
            with library.backpack(extensions.BatchGrad()):
                model(x)[:, output].sum().backward()
            rows.append([p.grad_batch.flatten(1) for p in model.parameters()])
        parts = [torch.stack(part) for part in zip(*rows, strict=True)]
        if outputs == "full":
            return torch.stack([J.flatten(0, 1) @ J.flatten(0, 1).T for J in parts]).sum(0)
        return torch.stack([G @ G.T for J in parts for G in J]).sum(0)

    return once


def curvlinops(network: Network, x: Tensor, outputs: str) -> Kernel:
    """J (Jᵀ I): its two operators applied to all unit vectors; all pairs of outputs."""
    library = import_module("curvlinops")
    model = network.module()
    if outputs != "full":
        raise NotImplementedError("no mean over outputs")
    data = [(x, torch.zeros(len(x), network.outputs))]
    parameters = list(model.parameters())
    J, JT = (
        operator(model, parameters, data, check_deterministic=False)
        for operator in (library.JacobianLinearOperator, library.TransposedJacobianLinearOperator)
    )
    return lambda: J @ (JT @ torch.eye(len(x) * network.outputs))


METHODS: dict[str, Callable[[Network, Tensor, str], Kernel]] = {
    "torch.func tutorial": tutorial,
    "torch Jacobians by layer": layerwise,
    "nngeometry": nngeometry,
    "BackPACK": backpack,
    "curvlinops": curvlinops,
}


def available() -> list[str]:
    """Of the methods those whose library is installed."""
    return [name for name in METHODS if name.startswith("torch") or util.find_spec(name.lower())]


def prepared(method: str, network: str, n: int, outputs: str) -> Callable[[], float]:
    """A call that returns the seconds of one kernel; warm."""
    x = NETWORKS[network].samples(n)
    kernel = METHODS[method](NETWORKS[network], x, outputs)

    kernel()
    return lambda: seconds(kernel)


def main() -> None:
    warnings.simplefilter("ignore")
    if BY_CPU:
        torch.set_num_threads(1)
    print(json.dumps(available()), flush=True)
    once: Callable[[], float] | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            once = prepared(**asked) if asked else once
            answer: Any = once() if once else None
        except (ImportError, MemoryError, RuntimeError, ValueError, NotImplementedError, AttributeError) as error:
            once, answer = None, f"{type(error).__name__}: {error}"[:60]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
