"""What is asked: pure, validated, hashable values that can be written to a file and read back."""

from ntklab.spec.activations import Activation
from ntklab.spec.architecture import Architecture, Input
from ntklab.spec.attention import SelfAttention
from ntklab.spec.base import Spec
from ntklab.spec.catalogue import LAYER_ROWS, SOURCE_ROWS, FieldRow, TypeRow, caption, field_rows, type_row
from ntklab.spec.codec import LARGEST, SCHEMA, Document
from ntklab.spec.convolution import Conv, ConvLocal, Convolution, ConvTranspose
from ntklab.spec.dataset import SOURCE_TYPES, Dataset, class_count, sample_shape
from ntklab.spec.experiment import Experiment, check_fit, fitted
from ntklab.spec.kernel import KernelRequest
from ntklab.spec.layers import (
    LAYER_TYPES,
    Branch,
    Dense,
    Dropout,
    Flatten,
    Layer,
    is_activation,
    own_width,
    resized,
)
from ntklab.spec.layouts import lay_out
from ntklab.spec.model import Checkpoint, Model, ModelFile, ModelObject
from ntklab.spec.nested import nested_shape, parse_nested, show_nested
from ntklab.spec.normalisation import LayerNorm
from ntklab.spec.pooling import AvgPool, GlobalAvgPool, GlobalSumPool, Pool, SumPool
from ntklab.spec.positions import Aggregate, DotGeneral, ImageResize, Index
from ntklab.spec.presets import PRESETS, Preset
from ntklab.spec.shapes import LayerShape, layer_shapes, output_shape, parameter_count
from ntklab.spec.training import Training
from ntklab.spec.transitions import axis_numbers, concat_axis

__all__ = [
    "LARGEST",
    "LAYER_ROWS",
    "LAYER_TYPES",
    "PRESETS",
    "SCHEMA",
    "SOURCE_ROWS",
    "SOURCE_TYPES",
    "Activation",
    "Aggregate",
    "Architecture",
    "AvgPool",
    "Branch",
    "Checkpoint",
    "Conv",
    "ConvLocal",
    "ConvTranspose",
    "Convolution",
    "Dataset",
    "Dense",
    "Document",
    "DotGeneral",
    "Dropout",
    "Experiment",
    "FieldRow",
    "Flatten",
    "GlobalAvgPool",
    "GlobalSumPool",
    "ImageResize",
    "Index",
    "Input",
    "KernelRequest",
    "Layer",
    "LayerNorm",
    "LayerShape",
    "Model",
    "ModelFile",
    "ModelObject",
    "Pool",
    "Preset",
    "SelfAttention",
    "Spec",
    "SumPool",
    "Training",
    "TypeRow",
    "axis_numbers",
    "caption",
    "check_fit",
    "class_count",
    "concat_axis",
    "field_rows",
    "fitted",
    "is_activation",
    "lay_out",
    "layer_shapes",
    "nested_shape",
    "output_shape",
    "own_width",
    "parameter_count",
    "parse_nested",
    "resized",
    "sample_shape",
    "show_nested",
    "type_row",
]
