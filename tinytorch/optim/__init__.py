"""Optimisers, which change parameters so that a loss becomes smaller, and schedules for them."""

from tinytorch.nn.utils import clip_grad_norm_, clip_grad_value_
from tinytorch.optim import lr_scheduler, swa_utils
from tinytorch.optim.lbfgs import LBFGS
from tinytorch.optim.optimizer import Optimizer
from tinytorch.optim.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    RMSprop,
)

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RMSprop",
    "clip_grad_norm_",
    "clip_grad_value_",
    "lr_scheduler",
    "swa_utils",
]
