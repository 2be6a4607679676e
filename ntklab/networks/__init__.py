"""Architecture specs as PyTorch modules: NTK, standard and muP parameterisation, reproducible draws."""

from ntklab.networks.attention import Embedding, SelfAttention
from ntklab.networks.build import build
from ntklab.networks.checkpoints import load_parameters, save_parameters, with_parameters
from ntklab.networks.convolution import Conv, ConvLocal, Convolution, ConvTranspose
from ntklab.networks.devices import torch_device, torch_dtype
from ntklab.networks.modules import Dense, Merge, Pointwise
from ntklab.networks.network import Network
from ntklab.networks.normalisation import LayerNorm
from ntklab.networks.pooling import GlobalPool, Pool
from ntklab.networks.positions import Aggregate, DotGeneral, Index, Resize

__all__ = [
    "Aggregate",
    "Conv",
    "ConvLocal",
    "ConvTranspose",
    "Convolution",
    "Dense",
    "DotGeneral",
    "Embedding",
    "GlobalPool",
    "Index",
    "LayerNorm",
    "Merge",
    "Network",
    "Pointwise",
    "Pool",
    "Resize",
    "SelfAttention",
    "build",
    "load_parameters",
    "save_parameters",
    "torch_device",
    "torch_dtype",
    "with_parameters",
]
