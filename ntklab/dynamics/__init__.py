"""How training goes: real, linearised and in the limit; closed forms, flows and descent of linear models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ntklab.dynamics import closed_form
from ntklab.lazy import lazily

if TYPE_CHECKING:
    from ntklab.dynamics.cost import forecast
    from ntklab.dynamics.descent import simulate
    from ntklab.dynamics.ensembles import Ensemble, ensemble
    from ntklab.dynamics.function_space import function_space_flow
    from ntklab.dynamics.learning_rate import largest_learning_rate
    from ntklab.dynamics.linear import LinearModel
    from ntklab.dynamics.solution import Solution, gradient_descent, gradient_flow
    from ntklab.dynamics.taylor import TaylorExpansion, linearize, taylor_expand
    from ntklab.dynamics.training import train

__all__ = [
    "Ensemble",
    "LinearModel",
    "Solution",
    "TaylorExpansion",
    "closed_form",
    "ensemble",
    "forecast",
    "function_space_flow",
    "gradient_descent",
    "gradient_flow",
    "largest_learning_rate",
    "linearize",
    "simulate",
    "taylor_expand",
    "train",
]

__getattr__ = lazily(
    __name__,
    {
        "cost": ("forecast",),
        "descent": ("simulate",),
        "ensembles": ("Ensemble", "ensemble"),
        "function_space": ("function_space_flow",),
        "learning_rate": ("largest_learning_rate",),
        "linear": ("LinearModel",),
        "solution": ("Solution", "gradient_descent", "gradient_flow"),
        "taylor": ("TaylorExpansion", "linearize", "taylor_expand"),
        "training": ("train",),
    },
)
