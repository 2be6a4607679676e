"""A route seen from outside: layers are called as in the network that was given, and scaled by its metric."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from torch import Tensor

from ntklab.kernels.empirical.factors import Factor
from ntklab.kernels.empirical.metric import given_name
from ntklab.kernels.empirical.routes.route import Layer, Needs, Route
from ntklab.kernels.empirical.wrapped import Wrapper, plain_name


class Dressed(Route):
    """A route whose layers are called as in the network itself, their factors scaled by a metric."""

    def __init__(self, route: Route, scales: Mapping[str, float]) -> None:
        self.inner, self.name, self.module = route, route.name, route.module
        self._plain = {layer.name: plain_name(route.module, layer.name) for layer in route.layers}
        self._scales: dict[str, float] = {}
        for layer in route.layers:
            found = {scales.get(given_name(route.module, name), 1.0) for name in layer.parameters}
            assert len(found) == 1, "a layer with several numbers has them in its parameters"
            self._scales[layer.name] = found.pop()
        self.layers = tuple(self._renamed(layer) for layer in route.layers)

    def factors(self, x: Tensor, layers: Collection[str] | None = None) -> list[Factor]:
        """Of the layers of these plain names."""
        wanted = None if layers is None else {inner for inner, plain in self._plain.items() if plain in layers}
        return [self._scaled(factor) for factor in self.inner.factors(x, wanted)]

    def needs(self, x: Tensor, k: int) -> Needs:
        """Those of the route."""
        return self.inner.needs(x, k)

    def _renamed(self, layer: Layer) -> Layer:
        parameters = tuple(given_name(self.module, name) for name in layer.parameters)
        return replace(layer, name=self._plain[layer.name], parameters=parameters)

    def _scaled(self, factor: Factor) -> Factor:
        scale, name = self._scales[factor.layer], self._plain[factor.layer]
        if scale == 1.0:
            return replace(factor, layer=name)
        if factor.B is not None:
            return replace(factor, layer=name, B=factor.B * scale**0.5)
        A = None if factor.A is None else factor.A * scale**0.5
        return replace(factor, layer=name, A=A, offset=factor.offset * scale)


def dressed(route: Route, scales: Mapping[str, float]) -> Route:
    """``route`` as it is where there is nothing to change."""
    return Dressed(route, scales) if scales or isinstance(route.module, Wrapper) else route
