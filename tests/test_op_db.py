"""PyTorch's own database of operations, but for its groups `nn.functional` and random, run here.

Each entry has samples of inputs, which PyTorch tests itself with. In float64, values and gradients
have to agree on every kind of them; where there is no gradient, values alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
import torch
from reference import leaves
from test_op_db_nn import GROUP, compare, numbers, op_db

import tinytorch
from tinytorch import Tensor
from tinytorch.arrays.plain import plain
from tinytorch.operations.pytorch import also_called

ENTRIES = [op for op in op_db if not op.name.startswith(GROUP)]

# --- what is left out -----------------------------------------------------------------------------

GROUPS = {
    "masked.": "PyTorch's masked tensors",
    "signal.windows.": "windows made of numbers: SciPy's",
    "torch.": "kernels inside PyTorch",
    "sparse.": "sparse matrices",
    "jiterator_": "programs for a GPU",
    "native_": "kernels inside PyTorch: nn.functional has them",
    "__r": "an operator's other side",
}
RANDOM = """bernoulli cauchy exponential geometric log_normal multinomial normal rand_like randint
    randint_like randn randn_like uniform"""
ARBITRARY = "empty empty_like empty_permuted empty_strided new_empty new_empty_strided"
MEMORY = """alias_copy as_strided as_strided_copy as_strided_scatter diagonal_copy expand_copy
    narrow_copy permute_copy resize_ resize_as_ split_with_sizes_copy squeeze_copy t_copy
    transpose_copy unbind_copy unfold_copy unsqueeze_copy view_copy unsafe_chunk unsafe_split"""
INSIDE = """_batch_norm_with_update _chunk_cat _native_batch_norm_legit _segment_reduce
    _softmax_backward_data _unsafe_masked_index _unsafe_masked_index_put_accumulate
    _upsample_bilinear2d_aa constant_pad_nd grid_sampler_2d grid_sampler_3d hash_tensor
    max_pool2d_with_indices_backward nonzero_static scalar_tensor slice to_sparse bfloat16 char"""
FACTORIZATIONS = """geqrf ormqr linalg.householder_product linalg.ldl_factor linalg.ldl_factor_ex
    linalg.ldl_solve linalg.lu linalg.lu_factor linalg.lu_factor_ex linalg.lu_solve lu lu_solve
    lu_unpack linalg.cholesky_ex linalg.inv_ex linalg.solve_ex pca_lowrank svd_lowrank
    triangular_solve linalg.solve_triangular"""
SIGNS = "linalg.eig linalg.eigh linalg.svd svd linalg.pinv.singular"
COUNTING = """bucketize histc histogram histogramdd isin isreal searchsorted unique
    unique_consecutive igamma igammac nextafter
    linalg.matrix_rank linalg.matrix_rank.hermitian"""
POLYNOMIALS = """airy_ai chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v
    chebyshev_polynomial_w hermite_polynomial_h hermite_polynomial_he laguerre_polynomial_l
    legendre_polynomial_p shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u
    shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w spherical_bessel_j0
    scaled_modified_bessel_k0 scaled_modified_bessel_k1"""
LEFT_OUT: dict[str, str] = {
    "chalf": "NumPy has no complex numbers of 32 bits",
    **dict.fromkeys(("stft", "istft"), "scipy.signal's has other arguments"),
    **dict.fromkeys(RANDOM.split(), "random"),
    **dict.fromkeys(ARBITRARY.split(), "arbitrary values"),
    **dict.fromkeys(MEMORY.split(), "says how memory is shared, which no array here does"),
    **dict.fromkeys(INSIDE.split(), "PyTorch's own workings: another name has it here"),
    **dict.fromkeys(FACTORIZATIONS.split(), "factors as LAPACK packs them"),
    **dict.fromkeys(SIGNS.split(), "vectors of arbitrary sign: test_linalg.py"),
    **dict.fromkeys(COUNTING.split(), "no derivative: NumPy's functions count and look up"),
    **{f"special.{name}": "no derivative in PyTorch" for name in POLYNOMIALS.split()},
    "zero_": "changes a leaf",
    **dict.fromkeys(("softmax.with_dtype", "log_softmax.with_dtype"), "x.to(dtype).softmax(dim)"),
    "linalg.pinv.hermitian": "looks at one triangle alone",
}


# What is run with numbers of one kind, and why.
OF_ONE_KIND: dict[str, torch.dtype] = {
    # NumPy gives real eigenvalues where all are real.
    "linalg.eigvals": torch.complex128,
    # PyTorch's gradient of a Hermitian matrix is none.
    **dict.fromkeys(("cholesky", "linalg.cholesky"), torch.float64),
    # PyTorch computes it in float32.
    "linspace.tensor_overload": torch.float64,
    # NumPy has none of complex numbers.
    **dict.fromkeys(("logaddexp", "logcumsumexp"), torch.float64),
}


def title(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else str(op.name)


def is_left_out(op: Any) -> bool:
    listed = title(op) in LEFT_OUT or op.name in LEFT_OUT
    numbers = {torch.float64, torch.complex128} & op.dtypes
    return listed or op.name.startswith(tuple(GROUPS)) or not numbers


CHOSEN = [op for op in ENTRIES if not is_left_out(op)]
RUN = [
    (op, dtype)
    for op in CHOSEN
    for dtype in (torch.float64, torch.complex128)
    if dtype in op.dtypes and not (title(op) in OF_ONE_KIND and OF_ONE_KIND[title(op)] != dtype)
]

# --- the function of an entry ---------------------------------------------------------------------


def each(f: Any) -> Any:
    return lambda xs: f(*xs) if isinstance(xs, list | tuple) else f(xs)


in_linalg = also_called(dim="axis", keepdim="keepdims", dim1="axis1", dim2="axis2", dims="axes")
SPELLED: dict[str, Any] = {
    **{name: each(getattr(np, name)) for name in ("atleast_1d", "atleast_2d", "atleast_3d")},
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
    "einsum": lambda xs, equation: np.einsum(equation, *xs),
    "where": Tensor.where,
    "linalg.diagonal": lambda x, offset=0, dim1=-2, dim2=-1: x.diagonal(offset, dim1, dim2),
    "linalg.lstsq": lambda a, b, driver: np.linalg.lstsq(a, b)[0],
    "linalg.matrix_norm": lambda x, p="fro", dim=(-2, -1), keepdim=False: np.linalg.norm(
        x, p, tuple(dim), keepdim
    ),
    "linalg.multi_dot": np.linalg.multi_dot,
    "linalg.pinv": lambda x, atol=None, rtol=None, hermitian=False: np.linalg.pinv(x),
    "linalg.vander": lambda x, N=None: x.vander(N, increasing=True),
    "linalg.vector_norm": lambda x, ord=2, dim=None, keepdim=False: x.norm(ord, dim, keepdim),  # noqa: A006
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
    group, _, name = op.name.rpartition(".")
    if op.name in SPELLED:
        return SPELLED[op.name]
    if group == "fft":
        return getattr(tinytorch.fft, name)
    if group:
        return in_linalg(getattr({"linalg": np.linalg, "special": scipy.special}[group], name))
    return getattr(tinytorch, name, None) or getattr(Tensor, name)


def test_nothing_is_missing() -> None:
    for op in CHOSEN:
        assert callable(function(op))
    names = {title(op) for op in ENTRIES} | {op.name for op in ENTRIES}
    assert set(LEFT_OUT) <= names
    assert all(any(name.startswith(group) for name in names) for group in GROUPS)
    assert len(CHOSEN) > 300


# --- samples --------------------------------------------------------------------------------------

MOST = 8  # samples of an entry, spread over all
CONSTANT = {"quantile", "nanquantile"}  # whose second argument has no gradient here
MEANINGLESS = {"memory_format", "output_size"}  # options of PyTorch's memory


def samples(op: Any, dtype: torch.dtype) -> list[Any]:
    torch.manual_seed(0)
    every = op.sample_inputs("cpu", dtype, requires_grad=op.supports_autograd)
    chosen = [sample for sample in every if is_tested(op, sample, dtype)]
    return chosen[:: -(-len(chosen) // MOST)]


def is_tested(op: Any, sample: Any, dtype: torch.dtype) -> bool:
    """Leave out samples of complex numbers, of keywords that mean nothing here, and oddities."""
    given = leaves([sample.input, sample.args, sample.kwargs])
    tensors = [x for x in given if isinstance(x, torch.Tensor)]
    if dtype == torch.float64 and any(x.is_complex() for x in tensors):
        return False
    return not ODD.get(op.name, lambda *_: False)(sample)


ODD: dict[str, Any] = {
    # Axis 0 of no axes, which NumPy does not have, in a tuple or beside another.
    **dict.fromkeys(
        ("scatter_add", "squeeze", "transpose", "nonzero"), lambda s: s.input.ndim == 0
    ),
    "gather": lambda s: s.args[1].ndim != s.input.ndim or not s.input.ndim,
    "cat": lambda s: any(x.shape == (0,) for x in s.input),  # fits anywhere in PyTorch
    "tensordot": lambda s: s.input.shape == (1, 1, 1),  # sizes 1 and 2 as a pair of axes
    **dict.fromkeys(
        ("std", "var", "std_mean", "var_mean"),
        lambda s: "correction" in s.kwargs and s.kwargs["correction"] is None,
    ),
    "linalg.vander": lambda s: s.input.ndim == 0,
    "linalg.lstsq": lambda s: s.input.ndim > 2,  # NumPy's is of one matrix
    "linalg.solve": lambda s: s.args[0].ndim == s.input.ndim - 1 > 1,  # vectors, as in NumPy 1
}


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
    assert given or op.name in ODD
    for sample in given:
        args, options = (sample.input, *sample.args), dict(sample.kwargs)
        if op.name in CONSTANT:
            args = (args[0], *[x.detach() if isinstance(x, torch.Tensor) else x for x in args[1:]])
        xs: list[tuple[torch.Tensor, Tensor]] = []
        with np.errstate(all="ignore"):
            known = {name: x for name, x in options.items() if name not in MEANINGLESS}
            y = mine(*here(args, xs), **here(known, xs))
            z = op.op(*args, **options)
            if op.name == "linalg.lstsq":
                z = z[0]
            ours, theirs = map(as_arrays, (y, z))
            compare(ours, theirs, xs, RTOL.get(op.name, 1e-9))


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
