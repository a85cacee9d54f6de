"""NumPy's functions of samples in a row: interpolation, convolution, running sums, ranges."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.arrays.kind import NUMBERS, own
from tinytorch.arrays.plain import base
from tinytorch.arrays.words import conj
from tinytorch.engine import Node
from tinytorch.operations.arithmetic import Arithmetic
from tinytorch.operations.elementwise import where
from tinytorch.operations.indexing import along, pick
from tinytorch.operations.notation import parametric
from tinytorch.operations.operands import describe
from tinytorch.operations.protocols import implements
from tinytorch.operations.reductions import Reductions
from tinytorch.operations.windows import windows


def as_operand(x: Any, like: Any = None) -> Any:
    """Make an array of a list or number, which has the dtype of `like`; give others as they are."""
    if hasattr(x, "__array_function__"):
        return x
    return np.asarray(x, like.dtype if like is not None and type(x) in NUMBERS else None)


def values_of(x: Any) -> Any:
    """Give the values of a tensor, without its graph."""
    if isinstance(x, Node):
        return x._value
    return base(x).view(np.ndarray) if isinstance(x, np.ndarray) else np.asarray(x)


@implements(np.interp)
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None
) -> Any:
    """Interpolate linearly between the points (xp, fp): fp[i] + (x - xp[i]) * slope.

    `xp` rises; beyond its ends come `left` and `right`, by default the end's value. With a `period`
    the points go on for ever. Raises ValueError for xp and fp that are no rows of one length.
    """
    x, xp, fp = map(as_operand, (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(f"interp: xp and fp are rows of one length, got {xp.shape}, {fp.shape}")
    if period is not None:
        x, xp = x % period, xp % period
        order = np.argsort(values_of(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    if xp.size > 1:
        i = np.clip(np.searchsorted(values_of(xp), values_of(x), "right") - 1, 0, xp.size - 2)
        x0, x1, y0, y1 = (pick(points, (j,)) for points in (xp, fp) for j in (i, i + 1))
        inside = y0 + (x - x0) * ((y1 - y0) / (x1 - x0))
    else:
        inside = fp[0] + 0 * x
    out = where(values_of(x) < values_of(xp)[0], fp[0] if left is None else left, inside)
    return where(values_of(x) > values_of(xp)[-1], fp[-1] if right is None else right, out)


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Give c[k] = sum(a[i] * v[k - i]): "full", of a's length ("same") or where all overlaps."""
    a, v = as_operand(a), as_operand(v)
    if a.ndim != 1 or v.ndim != 1 or not a.size or not v.size:
        raise ValueError(f"convolve: expected two rows, got {describe(a)} and {describe(v)}")
    if v.size > a.size:
        a, v = v, a
    most, n = a.size, v.size
    full = windows(np.pad(a, n - 1), (0,), (n,), (1,), (1,)) @ v[::-1]
    if mode == "full":
        return full
    if mode == "same":
        return full[(n - 1) // 2 : (n - 1) // 2 + most]
    if mode == "valid":
        return full[n - 1 : most]
    raise ValueError(f'convolve: mode is "full", "same" or "valid", got {mode!r}')


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Give c[k] = sum(a[i + k] * conj(v[i]))."""
    a, v = as_operand(a), conj(as_operand(v))
    if v.size > a.size:
        return convolve(a[::-1], v, mode)[::-1]
    return convolve(a, v[::-1], mode)


unwrap = parametric(
    np.unwrap,
    lambda grad, out, x, discont=None, axis=-1, period=2 * np.pi: grad,
    "x with whole periods added, so that no step is larger than half of one",
)


@implements(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Give the differences of neighbours in one row, with what comes before and behind them."""
    line = np.reshape(as_operand(ary), -1)
    parts = [to_begin, line[1:] - line[:-1], to_end]
    given = [as_operand(part, line) for part in parts if part is not None]
    return np.concatenate([np.reshape(part, -1) for part in given])


def _cumulative(name: str, first: float) -> Any:
    running = getattr(Reductions, name)

    def cumulative(
        x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
    ) -> Any:
        """Join the entries up to each, after none of them too if `include_initial`."""
        if axis is None:
            if x.ndim != 1:
                raise ValueError(f"cumulative: {describe(x)} needs an axis")
            axis = 0
        out = running(x if dtype is None else Arithmetic.astype(x, dtype), axis)
        if not include_initial:
            return out
        shape = [1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)]
        return np.concatenate([np.full(shape, first, out.dtype), out], axis)

    return cumulative


cumulative_sum = implements("cumulative_sum")(_cumulative("cumsum", 0))
cumulative_prod = implements("cumulative_prod")(_cumulative("cumprod", 1))

# --- ranges between tensors -----------------------------------------------------------------------


@implements(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Give `num` numbers from `start` to `stop` in even steps, along a new axis."""
    parts = num - 1 if endpoint else num
    like: Any = start if isinstance(start, Node) else stop
    start, stop = np.broadcast_arrays(as_operand(start, like), as_operand(stop, like))
    if dtype is not None and np.dtype(dtype).kind == "f":
        start, stop = start.astype(dtype), stop.astype(dtype)
    wide = like.dtype if dtype is None or np.dtype(dtype).kind != "f" else np.dtype(dtype)
    place = (np.arange(num) / max(parts, 1)).astype(wide)
    out = start + own(place.reshape(-1, *(1,) * start.ndim), start) * (stop - start)
    if endpoint and num > 1:
        out = np.concatenate([out[along(0, slice(-1), out.ndim)], stop[None]])
    out = np.moveaxis(out, 0, axis)
    out = out if dtype is None else out.astype(dtype)
    return (out, (stop - start) / parts if parts else np.nan) if retstep else out


@implements(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Give base**linspace(start, stop)."""
    return base ** linspace(start, stop, num, endpoint, dtype=dtype, axis=axis)


@implements(np.geomspace)
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """Give `num` positive numbers from `start` to `stop` that grow by even factors."""
    out = np.exp(linspace(np.log(start), np.log(stop), num, endpoint, axis=axis))
    return out if dtype is None else out.astype(dtype)
