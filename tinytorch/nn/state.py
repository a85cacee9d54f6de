"""A module's state: its parameters and buffers by name, and how another state is taken over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinytorch.arrays.kind import at_hand, own
from tinytorch.arrays.plain import base
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor

if TYPE_CHECKING:
    from tinytorch.nn.module import Module


class IncompatibleKeys(NamedTuple):
    """The names that a state lacks, and those that nothing in the module has."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def state_of(module: Module) -> dict[str, Any]:
    """Map the names of parameters and persistent buffers to them, shared ones to each name."""
    state: dict[str, Any] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        state.update(part.named_parameters(path, recurse=False, remove_duplicate=False))
        for name, persistent in part._buffers.items():
            if persistent and getattr(part, name) is not None:
                state[f"{path}.{name}" if path else name] = getattr(part, name)
    return state


def load(module: Module, state: Mapping[str, Any], strict: bool) -> IncompatibleKeys:
    """Take over the values of a state: see `Module.load_state_dict`."""
    kind = type(module).__name__
    if not isinstance(state, Mapping):
        other = "other.state_dict()" if hasattr(state, "state_dict") else "tinytorch.load(path)"
        raise TypeError(
            f"load_state_dict of {kind}: a state is a dict of arrays, got {describe(state)}; "
            f"write model.load_state_dict({other})"
        )
    own = state_of(module)
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    given = {name: (own[name], state[name]) for name in own if name in state}
    faults = [
        f"{name} has shape {x.shape}, in the state {np.shape(values)}"
        for name, (x, values) in given.items()
        if np.shape(values) != x.shape
    ]
    if strict and missing:
        faults.append(f"missing from the state: {', '.join(missing)}")
    if strict and unexpected:
        faults.append(f"unexpected in the state: {', '.join(map(str, unexpected))}")
    if faults:
        raise RuntimeError(f"load_state_dict of {kind}: {'; '.join(faults)}")
    # All is read before anything is written.
    loaded = [(x, _values_for(x, values)) for x, values in given.values()]
    for x, values in loaded:
        if isinstance(x, Tensor):
            x.data = values
        else:
            x[...] = values
    return IncompatibleKeys(missing, unexpected)


def _values_for(x: Any, values: Any) -> Any:
    if isinstance(x, Tensor):
        return Tensor(values, requires_grad=False, dtype=x.dtype)._value
    return own(np.asarray(at_hand(base(getattr(values, "_value", values)))).astype(x.dtype), x)
