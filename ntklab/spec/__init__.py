"""What is asked: pure, validated, hashable values that can be written to a file and read back."""

from ntklab.spec.activations import Activation
from ntklab.spec.architecture import Architecture, Input
from ntklab.spec.base import Spec
from ntklab.spec.catalogue import LAYER_ROWS, SOURCE_ROWS, FieldRow, TypeRow, caption, field_rows, type_row
from ntklab.spec.codec import LARGEST, SCHEMA, Document
from ntklab.spec.dataset import SOURCE_TYPES, Dataset, class_count, sample_shape
from ntklab.spec.experiment import Experiment, check_fit, fitted
from ntklab.spec.kernel import KernelRequest
from ntklab.spec.layers import LAYER_TYPES, Branch, Dense, Dropout, Flatten, Layer, is_activation
from ntklab.spec.shapes import LayerShape, layer_shapes, output_shape, parameter_count
from ntklab.spec.training import Training

__all__ = [
    "LARGEST",
    "LAYER_ROWS",
    "LAYER_TYPES",
    "SCHEMA",
    "SOURCE_ROWS",
    "SOURCE_TYPES",
    "Activation",
    "Architecture",
    "Branch",
    "Dataset",
    "Dense",
    "Document",
    "Dropout",
    "Experiment",
    "FieldRow",
    "Flatten",
    "Input",
    "KernelRequest",
    "Layer",
    "LayerShape",
    "Spec",
    "Training",
    "TypeRow",
    "caption",
    "check_fit",
    "class_count",
    "field_rows",
    "fitted",
    "is_activation",
    "layer_shapes",
    "output_shape",
    "parameter_count",
    "sample_shape",
    "type_row",
]
