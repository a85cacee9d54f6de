"""The Tensor: an array that remembers how it was computed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tinytorch.arrays.kind import evaluate, kind_of
from tinytorch.arrays.scattered import whole
from tinytorch.arrays.warned import at_users_line, keep_filter_first
from tinytorch.arrays.words import conj, ones_like
from tinytorch.engine import Array, Node, accumulate
from tinytorch.gradients import gradients
from tinytorch.operations import plain_methods, ufuncs  # noqa: F401  (plain arrays get theirs)
from tinytorch.operations.conversions import Conversions
from tinytorch.operations.entering import floating_array, truth
from tinytorch.operations.in_place import InPlace
from tinytorch.operations.leaving import Leaving, deep_values
from tinytorch.operations.methods import Methods
from tinytorch.operations.operands import describe
from tinytorch.operations.protocols import (
    arguments,
    name_of_function,
    numpy_functions,
    plain_functions,
)

if TYPE_CHECKING:
    from tinytorch.pictures import Page, Picture


class Tensor(Node, Methods, Leaving, Conversions, InPlace):
    """A NumPy array with a gradient.

    `Tensor(data, label=None, requires_grad=True, dtype=None)` copies `data`: a real or complex
    number, nested lists of them, an array, or another tensor. A floating or complex array keeps its
    dtype, everything else becomes float64. A Dask array stays a plan, and so does what is computed
    from it. Operations on tensors give tensors, and each remembers its inputs, so that `backward`
    can give every one of them its gradient.

    Raises TypeError for data that are no numbers, ValueError for ragged lists. A tensor that
    was computed and needs a gradient is refused, too, since the copy would lose it.

    >>> x = Tensor([1.0, 2.0], label="x")
    >>> z = (x * x).sum()
    >>> z.backward()
    >>> x.grad
    array([2., 4.])
    """

    # Node comes first, for Python to find at once that this is one, whatever families there are.
    __slots__ = ("_call", "_is_parameter")  # both unset unless a module needs them
    _call: tuple[Any, ...]  # the module that computed it, and its inputs
    _is_parameter: bool  # does a module learn it?

    def __init__(
        self,
        data: Any,
        label: str | None = None,
        requires_grad: bool = True,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        if label is not None and not isinstance(label, str):
            raise TypeError(
                f"Tensor: the label is a str, got {describe(label)}; the arguments are "
                "Tensor(data, label=None, requires_grad=True, dtype=None)"
            )
        keep_filter_first()
        data = floating_array(data, dtype, "a copy, Tensor(x),", "x itself or x.clone()")
        self._begin(data, label, truth(requires_grad), None)

    # --- value and gradient -----------------------------------------------------------------

    @property
    def data(self) -> Array:
        """The values: an array, of which the graph holds no copy.

        What changes it, `x.data -= 0.1 * x.grad` say, comes after `backward`, which still needs the
        values of the forward pass. Assigning writes new values of the same shape into the array;
        a Dask array, which is a plan and no memory, is exchanged for the new one.
        """
        return self._value

    @data.setter
    def data(self, values: Any) -> None:
        if values is self._value:  # x.data -= step has changed the array in place
            return
        way = "x.data = y, the values alone,"
        values = floating_array(values, self._value.dtype, way, "y in the place of x")
        if values.shape != self._value.shape:
            raise ValueError(
                f"data: {describe(self)} takes values of that shape, got shape {values.shape}"
            )
        kind = kind_of(self._value)
        values = kind.like(values, self._value)
        if kind.plans:
            self._value = values
        else:
            self._value[...] = values

    @property
    def grad(self) -> Array:
        """The gradient from the backward passes, an array like `data`; zeros before the first."""
        grad: Array | None = self._grad
        if grad is None:
            return np.zeros_like(self._value)
        if type(grad) is not np.ndarray:
            grad = whole(grad)
            if isinstance(grad, np.generic):
                self._grad = grad = np.asarray(grad)
        return conj(grad) if self._children else grad

    @grad.setter
    def grad(self, values: Any) -> None:
        if values is not None and values is not whole(self._grad):
            way = "x.grad = y, the values alone,"
            values = floating_array(values, self._value.dtype, way, "y in an expression")
            if values.shape != self._value.shape:
                raise ValueError(
                    f"grad: {describe(self)} has a gradient of that shape, got {values.shape}"
                )
            values = kind_of(self._value).like(values, self._value)
            values = conj(values) if self._children else values
        self._grad = values

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded, so that it gets a gradient.

        To assign is what `requires_grad_` does.
        """
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, requires_grad: bool) -> None:
        self.requires_grad_(requires_grad)

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Compute the gradient of this tensor for every tensor it depends on, into their `.grad`.

        `gradient`, of this tensor's shape, weights its entries; it is ones if not given. A leaf
        adds to the gradient that it has, so that a second pass gives twice as much (`flush_grads`
        or `x.grad = None` starts afresh); an intermediate tensor replaces its own. The rules look
        at `.data` as it is now: change parameters after `backward`, not before, and in place, as in
        `w.data -= lr * w.grad`: a loop of `w = w - lr * w.grad` makes one graph of all its steps.
        The graph lives as long as its tensors do, unless `retain_graph=False` has it freed on the
        way, and intermediate gradients with it, for large arrays.

        Raises RuntimeError where no gradient is required or the graph was freed, ValueError for a
        gradient of another shape.

        >>> x = Tensor([1.0, 2.0])
        >>> y = x * x
        >>> y.backward()  # as y.sum().backward()
        >>> x.grad
        array([2., 4.])
        >>> x.grad = None
        >>> y.backward([1.0, 10.0])  # as (y * [1.0, 10.0]).sum().backward()
        >>> x.grad
        array([ 2., 40.])
        """
        if create_graph:
            raise RuntimeError(
                "backward(create_graph=True) would keep the graph alive in a cycle through .grad; "
                "tinytorch.autograd.grad(outputs, inputs, create_graph=True) gives gradients that "
                "can be differentiated again"
            )
        if not self._requires_grad:
            raise RuntimeError(
                f"backward: {describe(self)} requires no gradient: it was made with "
                "requires_grad=False, by detach(), inside no_grad(), or from constants only"
            )
        retain = retain_graph is None or bool(retain_graph)
        grads = gradients({self: self._seed(gradient)}, retain_graph=retain)
        try:
            accumulate(grads)
        except RuntimeWarning:
            at_users_line(accumulate, grads)

    def _backward(self) -> None:
        """Take one step of the way back by hand: add this node's shares to its inputs' `.grad`.

        For each node of the reversed topological order, after the last one's gradient has been set
        to ones, the steps do what `backward` does. A node that no gradient has reached gives none.
        """
        if self._grad is not None:
            at_users_line(super()._backward)

    def _seed(self, gradient: Any) -> Any:
        if gradient is None:
            if self._value.dtype.kind == "c":
                raise RuntimeError(
                    f"backward: {describe(self)} is complex, and only real numbers have a gradient "
                    "by themselves: take z.real, z.imag or z.abs() of it, or give "
                    "z.backward(gradient) its weights"
                )
            return ones_like(self._value)
        way, instead = "z.backward(y), with the values alone,", "(z * y).sum().backward()"
        seed = floating_array(gradient, self._value.dtype, way, instead)
        if seed.shape != self._value.shape:
            raise ValueError(
                f"backward: {describe(self)} takes a gradient of that shape, got {seed.shape}"
            )
        return conj(kind_of(self._value).like(seed, self._value))

    def detach(self) -> Tensor:
        """Give a tensor of the same values, sharing their memory, without history or gradient."""
        twin: Tensor = object.__new__(type(self))
        twin._begin(self._value, self.label, False, None)
        return twin

    def render(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        expand: bool = False,
        max_nodes: int = 200,
        view: bool = False,
    ) -> Picture:
        """Draw how this tensor was computed: values, gradients, and the operations between them.

        The picture shows itself in a notebook, and `path` names a file for it, which ends in .svg,
        .png, .pdf or .dot; with neither it goes to computational_graph.svg in the current folder.
        An ending in .html gives the page of `explain`.
        `view` opens the file. The call of a layer, or of another module that calls none itself, is
        one box, unless `expand` opens it. Of more than `max_nodes` tensors, a box counted as one,
        those nearest to this one are drawn.

        Raises ValueError for another ending, OSError where the file cannot be written, and
        RuntimeError where Graphviz is missing, which .dot does not need.

        >>> from tempfile import TemporaryDirectory
        >>> x = Tensor([1.0, 2.0], label="x")
        >>> with TemporaryDirectory() as folder:
        ...     x.exp().render(f"{folder}/graph.dot")
        Picture(2 nodes)
        """
        from tinytorch.pictures import render

        return render(self, path, expand=expand, max_nodes=max_nodes, view=view)

    def explain(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        expand: bool = False,
        max_nodes: int = 200,
        view: bool = False,
    ) -> Page:
        """Show step by step how this tensor was computed, and how `backward` takes the way back.

        The page shows itself in a notebook, and `path` names a file for it; with neither it goes to
        backprop.html in the current folder. It is one file that loads nothing else. No `.grad` is
        changed: the gradients on the page are those of `backward()` after `.grad` was cleared.
        `expand`, `max_nodes` and `view` as in `render`, but that inside modules every tensor
        counts. What is computed in a block `with tinytorch.pictures.record_lines():` is shown with
        the line of the program that computed it.

        Raises what `render` raises, RuntimeError where no gradient is required, and TypeError for
        other arrays than NumPy's.

        >>> from tempfile import TemporaryDirectory
        >>> x = Tensor([1.0, 2.0], label="x")
        >>> with TemporaryDirectory() as folder:
        ...     page = x.exp().explain(f"{folder}/graph.dot")
        >>> [step.text for step in page.story.backward][1]
        't1 hands x its share, [2.718 7.389]. x had none yet.'
        """
        from tinytorch.pictures import explain

        return explain(self, path, expand=expand, max_nodes=max_nodes, view=view)

    # --- what an array tells of itself ------------------------------------------------------

    @property
    def dtype(self) -> np.dtype[Any]:
        """The floating type of the entries."""
        return self._value.dtype

    def __len__(self) -> int:
        if not self._value.ndim:
            raise TypeError("len() of a tensor of no axes")
        return int(self._value.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __round__(self, ndigits: int = 0) -> Tensor:
        return self.round(ndigits)

    def __repr__(self) -> str:
        parts = [kind_of(self._value).text(self._value)]
        if self.label is not None:
            parts.append(f"label={self.label!r}")
        if self.dtype != np.float64:
            parts.append(f"dtype={self.dtype}")
        if not self.requires_grad:
            parts.append("requires_grad=False")
        return f"Tensor({', '.join(parts)})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    # --- where gradients stop -----------------------------------------------------------------

    @property
    def is_leaf(self) -> bool:
        """Whether no operation made this tensor, or none that is recorded."""
        return not self._children

    def retain_grad(self) -> None:
        """Do nothing: an intermediate tensor keeps its gradient anyway."""

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Say whether operations on this tensor are recorded; gives the tensor itself.

        Raises RuntimeError to switch off what was computed, TypeError for no truth value.
        """
        requires_grad = truth(requires_grad)
        if self._children and not requires_grad:
            raise RuntimeError(
                f"requires_grad = False: {describe(self)} was computed; x.detach() gives its values"
            )
        self._requires_grad = requires_grad
        return self

    # --- NumPy's protocols ------------------------------------------------------------------

    __pandas_priority__ = 5000  # series * x is for the tensor to compute, as array * x is

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs and ufunc in numpy_functions:
            return numpy_functions[ufunc](*inputs)
        return ufuncs.called(ufunc, method, inputs, kwargs)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if function in plain_functions:
            name = f"np.{function.__name__}"
            return evaluate(name, function, *deep_values(args), **deep_values(kwargs))
        implementation = numpy_functions.get(function)
        if implementation is None:
            raise ufuncs.refusal(function, name_of_function(function))
        args, kwargs = arguments(function, args, kwargs)
        return implementation(*args, **kwargs)

    # --- copies -----------------------------------------------------------------------------

    def __reduce__(self) -> tuple[Any, ...]:
        # A subclass's own __new__ may take anything, and the state has all.
        return object.__new__, (type(self),), self.__getstate__()

    def __getstate__(self) -> tuple[Any, ...]:
        """Keep all but the graph: a subclass's own attributes, too."""
        self._refuse_to_leave("a copy", "x.clone()")
        inherited: Any = super().__getstate__()
        attributes, slots = inherited
        own = (attributes or {}) | {k: x for k, x in slots.items() if not hasattr(Tensor, k)}
        is_parameter = "_is_parameter" in slots
        state = self._value, self.label, self.requires_grad, whole(self._grad), is_parameter
        return (*state, own) if own else state

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if not isinstance(state, tuple) or len(state) not in (5, 6):
            raise TypeError(
                "a tensor's state is the tuple (data, label, requires_grad, grad, is_parameter), "
                f"or that and a dict of attributes, got {describe(state)}"
            )
        data, label, requires_grad, grad, is_parameter, *own = state
        Tensor.__init__(self, data, label, requires_grad)  # which checks them
        self.grad = grad
        if is_parameter:
            self._is_parameter = True
        for attributes in own:
            for name, value in attributes.items():
                setattr(self, name, value)
