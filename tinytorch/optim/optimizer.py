"""What all optimisers share: groups of parameters with their options, and what is kept for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from tinytorch.arrays.kind import kind_of
from tinytorch.arrays.scattered import Scattered
from tinytorch.arrays.warned import WarningsAtUsersLine, warn
from tinytorch.arrays.words import as_reals
from tinytorch.engine import Array
from tinytorch.grad_mode import enable_grad
from tinytorch.operations.operands import describe
from tinytorch.tensor import Tensor

Group: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, Any]
# Tensors, or groups of them: dictionaries with "params" and options; or what gives either.
Params: TypeAlias = Iterable[Tensor] | Iterable[Mapping[str, Any]] | Callable[[], Iterable[Tensor]]

_NOT_NEGATIVE = {
    "lr", "momentum", "weight_decay", "eps", "alpha", "lr_decay", "momentum_decay",
    "initial_accumulator_value", "tolerance_grad", "tolerance_change",
}  # fmt: skip


class Optimizer:
    """Changes parameters, step by step, so that a loss becomes smaller.

    `params` are tensors (`model.parameters`, called or not), or groups of them with options of
    their own: `[{"params": a.parameters, "lr": 0.1}, {"params": b.parameters}]`; what a group
    doesn't say is in `defaults`. `param_groups` holds the groups, to be changed at any time.
    `state[parameter]` holds what an optimiser keeps: arrays like the parameter, and numbers, all
    of them floats.

    A subclass says in `update` how one parameter changes. A parameter that has no gradient, since
    no backward pass has reached it, stays as it is.

    Raises ValueError for no parameters, one that comes twice, one that is computed from others, and
    options out of their range; TypeError for what is no tensor.
    """

    def __init__(self, params: Params, defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.state: defaultdict[Tensor, State] = defaultdict(dict)
        self.param_groups: list[Group] = []
        kind = type(self).__name__
        if isinstance(params, Tensor | Mapping):
            raise TypeError(f"{kind}: expected a list of tensors or of groups; put it in a list")
        if hasattr(params, "named_parameters"):
            name = type(params).__name__
            raise TypeError(
                f"{kind}: expected parameters, got the {name} that has them: write "
                f"{kind}(model.parameters(), ...)"
            )
        groups: list[Any] = list(params() if callable(params) else params)
        if not groups:
            raise ValueError(f"{kind}: there are no parameters to optimise")
        if not isinstance(groups[0], Mapping):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Optimise more parameters: {"params": tensors, and options that differ from `defaults`}.

        Raises TypeError and ValueError as the class does.
        """
        kind = type(self).__name__
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(f'{kind}: a group is a dict with "params", got {param_group!r:.80}')
        params = param_group["params"]
        if callable(params):
            params = params()
        group = {**self.defaults, **param_group}
        group["params"] = [params] if isinstance(params, Tensor) else list(params)
        _check_options(kind, group)
        known = {x for other in self.param_groups for x in other["params"]}
        for x in group["params"]:
            if not isinstance(x, Tensor):
                raise TypeError(f"{kind}: a parameter is a Tensor, got {describe(x)}")
            if x._children:
                raise ValueError(f"{kind}: {describe(x)} is computed from others; optimise those")
            if kind_of(x._value).plans:
                raise TypeError(f"{kind}: {describe(x)} holds no NumPy array to change")
            if x in known:
                raise ValueError(f"{kind}: {describe(x)} comes twice among the parameters")
            known.add(x)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients; if not `set_to_none`, set them to zeros, which steps then use."""
        for group in self.param_groups:
            for x in group["params"]:
                x._grad = None if set_to_none else np.zeros_like(x._value)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change each parameter that has a gradient, in place, and give the closure's result.

        `closure`, called first, computes the loss and the gradients, and returns the loss. Warns
        where no parameter at all has a gradient.
        """
        loss = None if closure is None else loss_of(closure)
        self._warn_without_gradients()
        with WarningsAtUsersLine():
            self._change()
        return loss

    def _change(self) -> None:
        for group in self.param_groups:
            decay, factor = group.get("weight_decay"), self._factor(group)
            for parameter in group["params"]:
                if parameter._grad is None:
                    continue
                state = self.state[parameter]
                if factor is not None and type(parameter._grad) is Scattered:
                    parameter._grad.subtract_from(parameter._value, factor)
                    continue
                x, g = as_reals(parameter._value), as_reals(parameter.grad)
                if group.get("maximize"):
                    g = -g
                if decay and group.get("decoupled_weight_decay"):
                    x *= 1 - group["lr"] * decay
                elif decay:
                    g = g + decay * x
                self.update(x, g, state, group)

    def update(self, x: Array, g: Array, state: State, group: Group) -> None:
        """Change the array `x`, whose gradient is `g`, in place: that is for the subclass.

        Complex parameters come as real and imaginary parts, in a last axis, as in PyTorch.
        `g` is to be left alone; weight decay and `maximize` are in it already. What is written in
        NumPy's functions and operators can be compiled.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method `update`")

    def _factor(self, group: Group) -> Any:
        """Give the factor of a step that is no more than `x -= factor * g`, None for others.

        Of a large parameter such a step changes the rows alone that have a gradient.
        """
        del group

    def state_dict(self) -> dict[str, Any]:
        """Give the groups and the state, with numbers in place of parameters, as PyTorch does.

        The arrays are not copied: `copy.deepcopy` keeps them as they are now.
        """
        numbers = {x: i for i, x in enumerate(self._parameters())}
        return {
            "state": {numbers[x]: dict(kept) for x, kept in self.state.items()},
            "param_groups": [
                {**group, "params": [numbers[x] for x in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, here or in PyTorch, for the same parameters in order.

        Raises ValueError if the groups are of other sizes, or an array has another shape.
        """
        groups, own = state_dict["param_groups"], self.param_groups
        sizes = [[len(group["params"]) for group in some] for some in (groups, own)]
        kind = type(self).__name__
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"load_state_dict of {kind}: the state has groups of {sizes[0]} parameters, "
                f"the optimiser of {sizes[1]}"
            )
        parameters = dict(
            zip((i for group in groups for i in group["params"]), self._parameters(), strict=True)
        )
        state: defaultdict[Tensor, State] = defaultdict(dict)
        for i, kept in state_dict["state"].items():
            x = parameters[i]
            state[x] = {name: self._loaded(name, value, x) for name, value in kept.items()}
        self.state = state
        self.param_groups = [
            {**mine, **theirs, "params": mine["params"]}
            for mine, theirs in zip(own, groups, strict=True)
        ]

    def _loaded(self, name: str, value: Any, x: Tensor) -> Any:
        """Copy what is kept for the parameter `x`: a number, or an array of its shape and dtype."""
        if name in ("step", "mu_product"):
            return float(value)
        own = as_reals(x._value)
        array = as_reals(np.asarray(value, like=x._value)).astype(own.dtype)
        if array.shape != own.shape:
            raise ValueError(
                f"load_state_dict of {type(self).__name__}: {name} has shape {array.shape}, "
                f"for {describe(x)}"
            )
        return array

    def _warn_without_gradients(self) -> None:
        if all(x._grad is None for group in self.param_groups for x in group["params"]):
            warn(
                "step() changed nothing: no parameter has a gradient; call loss.backward() first, "
                "and zero_grad() before that"
            )

    def _parameters(self) -> list[Tensor]:
        return [x for group in self.param_groups for x in group["params"]]

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            options = ", ".join(f"{k}={v}" for k, v in sorted(group.items()) if k != "params")
            lines.append(f"  group {i}: {len(group['params'])} parameters, {options}")
        return "\n".join([*lines, ")"])


def loss_of(closure: Callable[[], Any]) -> Any:
    """Call what computes the loss and its gradients, with recording on."""
    with enable_grad():
        return closure()


def _check_options(kind: str, group: Group) -> None:
    for name, value in group.items():
        for number in value if name == "betas" and isinstance(value, list | tuple) else [value]:
            if name in {*_NOT_NEGATIVE, "betas", "rho"} and not hasattr(number, "__float__"):
                raise TypeError(f"{kind}: expected numbers for {name}, got {describe(value)}")
        if name == "betas" and not isinstance(value, list | tuple):
            raise TypeError(f"{kind}: betas are two numbers, got {describe(value)}")
        if name in _NOT_NEGATIVE and not value >= 0:
            raise ValueError(f"{kind}: {name} is at least 0, got {value}")
        if name == "betas" and not (len(value) == 2 and all(0 <= beta < 1 for beta in value)):
            raise ValueError(
                f"{kind}: betas are two numbers from 0 up to, not including, 1: {value}"
            )
        if name == "rho" and not 0 <= value <= 1:
            raise ValueError(f"{kind}: rho is from 0 to 1, got {value}")
