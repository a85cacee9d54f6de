"""PyTorch's own database of operations, but for its group `nn.functional`, run here.

Each entry has samples of inputs, which PyTorch tests itself with. Values and gradients have to
agree on every kind of them; where there is no gradient, values alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
import torch
from reference import leaves
from test_op_db_nn import GROUP, compare, numbers, op_db

import tinytorch
from tinytorch import Tensor, nn
from tinytorch.arrays.plain import plain
from tinytorch.operations.pytorch import also_called

ENTRIES = [op for op in op_db if not op.name.startswith(GROUP)]


def title(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else str(op.name)


# --- the function of an entry ---------------------------------------------------------------------


def each(f: Any) -> Any:
    return lambda xs: f(*xs) if isinstance(xs, list | tuple) else f(xs)


def where(mask: Any, x: Any, other: Any) -> Any:
    return x if mask is None else np.where(mask, x, other)


def axes(x: Any, dim: Any) -> Any:
    """Read PyTorch's axes of masked functions, where none named are all."""
    return None if dim is None or not (x.ndim and np.size(dim)) else tuple(np.atleast_1d(dim))


def masked(reduce: Any, **options: Any) -> Any:
    """Say in NumPy's words what PyTorch's reduction of masked tensors is."""

    def reduction(x: Any, dim: Any = None, *, keepdim: bool = False, mask: Any = None) -> Any:
        counts = True if mask is None else mask
        return reduce(x, axis=axes(x, dim), keepdims=keepdim, where=counts, **options)

    return reduction


in_special = also_called(dim="axis", keepdim="keepdims")
NUMPYS: dict[str, Any] = {
    **{name: each(getattr(np, name)) for name in ("atleast_1d", "atleast_2d", "atleast_3d")},
    "einsum": lambda xs, equation: np.einsum(equation, *xs),
}
SPELLED: dict[str, Any] = {
    **NUMPYS,
    **{name: lambda x, n=name: getattr(x, n) for name in ("H", "T", "mH", "mT")},
    **{
        name: lambda x, n=name: getattr(x, n)()
        for name in (
            "bool",
            "byte",
            "cdouble",
            "cfloat",
            "double",
            "float",
            "half",
            "int",
            "long",
            "short",
        )
    },
    "where": Tensor.where,
    "__rdiv__": Tensor.__rtruediv__,
    "alias_copy": Tensor.clone,
    "slice": lambda x, dim=0, start=None, end=None, step=1: x[
        (slice(None),) * dim + (slice(start, end, step),)
    ],
    "softmax.with_dtype": nn.functional.softmax,
    "log_softmax.with_dtype": nn.functional.log_softmax,
    "constant_pad_nd": lambda x, pad, value=0: nn.functional.pad(x, pad, value=value),
    **dict.fromkeys(
        ("grid_sampler_2d", "grid_sampler_3d"),
        lambda x, grid, mode, padding, corners: nn.functional.grid_sample(
            x,
            grid,
            ("bilinear", "nearest", "bicubic")[mode],
            ("zeros", "border", "reflection")[padding],
            corners,
        ),
    ),
    "masked.sum": masked(np.sum),
    "masked.prod": masked(np.prod),
    "masked.mean": masked(np.mean),
    "masked.amax": masked(np.max, initial=-np.inf),
    "masked.amin": masked(np.min, initial=np.inf),
    "masked.logsumexp": masked(np.logaddexp.reduce),
    "masked.var": lambda x, dim=None, unbiased=True, correction=None, **options: masked(
        np.var, ddof=unbiased if correction is None else correction
    )(x, dim, **options),
    "masked.std": lambda x, dim=None, unbiased=True, correction=None, **options: masked(
        np.std, ddof=unbiased if correction is None else correction
    )(x, dim, **options),
    "masked.cumsum": lambda x, dim, mask=None: where(mask, x, 0).cumsum(dim),
    "masked.cumprod": lambda x, dim, mask=None: where(mask, x, 1).cumprod(dim),
    "masked.median": lambda x, dim, keepdim=False, mask=None: (
        tinytorch.nanmedian(where(mask, x, np.nan), dim, keepdim).values
    ),
    "masked.norm": lambda x, p, dim=None, keepdim=False, mask=None: tinytorch.linalg.vector_norm(
        where(mask, x, np.inf if p == -np.inf else 0), p, axes(x, dim), keepdim
    ),
    "masked.softmax": lambda x, dim, mask=None: where(mask, x, -np.inf).softmax(dim),
    "masked.log_softmax": lambda x, dim, mask=None: where(mask, x, -np.inf).log_softmax(dim),
    "masked.softmin": lambda x, dim, mask=None: where(mask, x, np.inf).softmin(dim),
    "masked.normalize": lambda x, p, dim, mask=None: nn.functional.normalize(
        where(mask, x, 0), p, dim
    ),
    "masked.logaddexp": lambda x, y, input_mask=None, other_mask=None: np.logaddexp(
        where(input_mask, x, -np.inf), where(other_mask, y, -np.inf)
    ),
    "linalg.pinv.singular": lambda a, b: tinytorch.linalg.pinv(a @ b.mT),
    "special.bessel_j0": scipy.special.j0,
    "special.bessel_j1": scipy.special.j1,
    "special.bessel_y0": scipy.special.y0,
    "special.bessel_y1": scipy.special.y1,
    "special.modified_bessel_i0": scipy.special.i0,
    "special.modified_bessel_i1": scipy.special.i1,
    "special.modified_bessel_k0": scipy.special.k0,
    "special.modified_bessel_k1": scipy.special.k1,
    "special.polygamma": lambda x, n: x.polygamma(n),
}


def function(op: Any) -> Any:
    """Give the function here. Raises AttributeError where there is none."""
    for name in (title(op), op.name):
        if name in SPELLED:
            return SPELLED[name]
    group, _, name = op.name.rpartition(".")
    if group == "linalg":
        return getattr(tinytorch.linalg, name)
    if group == "fft":
        return getattr(tinytorch.fft, name)
    if group == "special":
        return in_special(getattr(scipy.special, name))
    if group:
        raise AttributeError(op.name)
    # PyTorch has these for compilers, which are to know that no memory is shared.
    shared = name.removeprefix("unsafe_").removesuffix("_copy")
    owners = [owner for owner in (tinytorch, Tensor) if hasattr(owner, name)]
    return getattr(owners[0], name) if owners else getattr(Tensor, shared)


def is_here(op: Any) -> bool:
    try:
        return callable(function(op))
    except AttributeError:
        return False


# --- what is left out -----------------------------------------------------------------------------

DTYPES = (torch.float64, torch.complex128)  # in which the entries are run
RANDOM = {
    "bernoulli", "cauchy", "exponential", "geometric", "log_normal", "multinomial", "normal",
    "pca_lowrank", "rand_like", "randint", "randint_like", "randn", "randn_like", "svd_lowrank",
    "uniform",
}  # fmt: skip
ARBITRARY = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty"}
KERNELS = ("native_", "torch.", "jiterator_", "max_pool2d_with_indices_backward", "hash_tensor")

REASONS: dict[str, Callable[[Any], bool]] = {
    "of complex numbers of 32 bits, which NumPy has not": lambda op: op.name == "chalf",
    "scipy.signal's, which has other arguments": lambda op: op.name in ("stft", "istft"),
    "of other dtypes alone": lambda op: not op.dtypes.intersection(DTYPES),
    "random": lambda op: op.name in RANDOM,
    "arbitrary values": lambda op: op.name.removesuffix("_strided") in ARBITRARY,
    "a part of PyTorch's kernels": lambda op: (
        op.name.startswith(KERNELS) or (op.name[0] == "_" != op.name[1])
    ),
    "of sparse matrices": lambda op: "sparse" in op.name,
    "in place, of a leaf": lambda op: op.name.endswith("_") and op.name[0] != "_",
    "bfloat16, which NumPy has not": lambda op: op.name == "bfloat16",
    "wrong in PyTorch, as its own gradcheck finds": lambda op: op.name == "as_strided_scatter",
    "shows the memory that x is a part of": lambda op: title(op) == "as_strided.partial_views",
    "no derivative in PyTorch, and NumPy's or SciPy's plain function here": lambda op: (
        not op.supports_autograd and not is_here(op)
    ),
}


def reason(op: Any) -> str | None:
    """Say why an entry is not run, or None."""
    return next((why for why, holds in REASONS.items() if holds(op)), None)


CHOSEN = [op for op in ENTRIES if reason(op) is None]

# What is run with numbers of one kind, and why.
OF_ONE_KIND: dict[str, torch.dtype] = {
    # NumPy gives real eigenvalues where all are real.
    **dict.fromkeys(("linalg.eig", "linalg.eigvals"), torch.complex128),
    # PyTorch gives complex ones.
    **dict.fromkeys(("masked.var", "masked.std"), torch.float64),
    # PyTorch's gradient of a Hermitian matrix is none.
    **dict.fromkeys(("cholesky", "linalg.cholesky", "linalg.cholesky_ex"), torch.float64),
    # PyTorch computes it in float32.
    "linspace.tensor_overload": torch.float64,
    # NumPy has none of complex numbers.
    **dict.fromkeys(("logaddexp", "logcumsumexp"), torch.float64),
}
RUN = [
    (op, dtype)
    for op in CHOSEN
    for dtype in DTYPES
    if dtype in op.dtypes and OF_ONE_KIND.get(title(op), dtype) == dtype
]


def test_nothing_is_missing() -> None:
    assert [title(op) for op in CHOSEN if not is_here(op)] == []
    for why, holds in REASONS.items():
        assert any(map(holds, ENTRIES)), why
    names = {op.name for op in ENTRIES}
    assert names >= RANDOM | ARBITRARY
    assert len(CHOSEN) > 300


# --- samples --------------------------------------------------------------------------------------

MOST = 8  # samples of an entry, spread over all
MEANINGLESS = {"memory_format", "output_size", "driver"}  # of PyTorch's memory and libraries


def samples(op: Any, dtype: torch.dtype) -> list[Any]:
    torch.manual_seed(0)
    every = list(op.sample_inputs("cpu", dtype, requires_grad=op.supports_autograd))
    if dtype == torch.float64:
        every = [sample for sample in every if not has_complex(sample)]
    return every[:: -(-len(every) // MOST)]


def has_complex(sample: Any) -> bool:
    given = leaves([sample.input, sample.args, sample.kwargs])
    return any(isinstance(x, torch.Tensor) and x.is_complex() for x in given)


def here(x: Any, xs: list[tuple[torch.Tensor, Tensor]]) -> Any:  # noqa: PLR0911
    """Make of PyTorch's arguments ours; note down each variable in both libraries."""
    if isinstance(x, torch.Tensor):
        array = numbers(x)
        if not (x.is_floating_point() or x.is_complex()):
            return plain(array.copy())
        tensor = Tensor(array, requires_grad=x.requires_grad)
        if x.requires_grad:
            xs.append((x, tensor))
        return tensor
    if isinstance(x, torch.Size):
        return tuple(x)
    if isinstance(x, list | tuple):
        return type(x)([here(part, xs) for part in x])
    if isinstance(x, dict):
        return {key: here(part, xs) for key, part in x.items()}
    if isinstance(x, torch.dtype):
        return str(x).removeprefix("torch.")
    return x


@pytest.mark.parametrize(("op", "dtype"), RUN, ids=lambda x: title(x) if hasattr(x, "op") else x)
@pytest.mark.filterwarnings("ignore")  # of PyTorch's own samples
def test_as_pytorchs(op: Any, dtype: torch.dtype) -> None:
    mine = function(op)
    given = samples(op, dtype)
    assert given
    for sample in given:
        args, options = (sample.input, *sample.args), dict(sample.kwargs)
        xs: list[tuple[torch.Tensor, Tensor]] = []
        args_here, options_here = here(args, xs), here(options, xs)
        known = {name: x for name, x in options_here.items() if name not in MEANINGLESS}
        if op.name in SYMMETRIC:
            args, args_here = ((x + x.mH, *others) for x, *others in (args, args_here))
        with np.errstate(all="ignore"):
            results = mine(*args_here, **known), op.op(*args, **options)
            if op.name == "linalg.lstsq":  # the others depend on the driver
                results = results[0][:1], results[1][:1]
            # Of what has an arbitrary sign, this takes the absolute value.
            ours, theirs = (as_arrays(sample.output_process_fn_grad(y)) for y in results)
            compare(ours, theirs, xs, RTOL.get(op.name, 1e-9))


# Whose gradient is that of one triangle in PyTorch, and shared with the other one here.
SYMMETRIC = {"linalg.eigh", "linalg.eigvalsh", "linalg.cholesky", "linalg.cholesky_ex", "cholesky"}


def as_arrays(results: Any) -> list[Any]:
    return [
        torch.tensor(x).double() if isinstance(x, bool | float | complex) else x
        for x in leaves(results)
    ]


# PyTorch computes some of these in float32.
RTOL = {
    **{f"special.bessel_{name}": 1e-5 for name in ("j0", "j1", "y0", "y1")},
    "logspace": 1e-6,
}
