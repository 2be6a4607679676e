"""How training goes: real, linearised and in the limit; closed forms and descent of linear models."""

from ntklab.dynamics import closed_form
from ntklab.dynamics.cost import forecast
from ntklab.dynamics.descent import simulate
from ntklab.dynamics.linear import LinearModel
from ntklab.dynamics.training import train

__all__ = ["LinearModel", "closed_form", "forecast", "simulate", "train"]
