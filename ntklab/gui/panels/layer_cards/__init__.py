"""Maths cards of layers: what each computes, and what it does to the kernels of infinite width. No Qt.

The rules are those of Jacot et al. 2018 and Novak et al. 2020, and of the works that each card names.
"""

from ntklab.gui.panels.layer_cards import positions, structure, weights
from ntklab.gui.panels.layer_cards.activations import activation_card
from ntklab.gui.panels.layer_cards.card import LayerCard, Sign
from ntklab.spec import Layer

__all__ = ["LayerCard", "Sign", "layer_card"]

_CARDS = {**weights.CARDS, **positions.CARDS, **structure.CARDS}


def layer_card(layer: Layer) -> LayerCard:
    """The card of ``layer``, as its fields are."""
    make = _CARDS.get(type(layer).__name__, activation_card)
    return make(layer)
