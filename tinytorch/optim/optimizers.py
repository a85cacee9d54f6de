"""The optimisers: of a parameter x with gradient g, each says how the next step changes x.

Names of options and defaults are PyTorch's. For all of them, `weight_decay` adds weight_decay * x
to the gradient, and `maximize` makes the loss larger instead of smaller.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.arrays.words import subtract_scaled
from tinytorch.engine import Array
from tinytorch.optim.optimizer import Group, Optimizer, Params, State


class SGD(Optimizer):
    """Stochastic gradient descent: x -= lr * g.

    With momentum v = momentum * v + (1 - dampening) * g (the first time v = g), and x -= lr * v;
    with Nesterov's x -= lr * (g + momentum * v) (I. Sutskever et al., "On the importance of
    initialization and momentum in deep learning", 2013).

    Raises ValueError for `nesterov` without momentum or with dampening.

    >>> from tinytorch import Tensor
    >>> x = Tensor([3.0])
    >>> optimizer = SGD([x], lr=0.1)
    >>> (x**2).sum().backward()
    >>> optimizer.step()
    >>> x.data
    array([2.4])
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening):
            raise ValueError("SGD: nesterov needs a momentum above 0 and a dampening of 0")
        super().__init__(params, _options(locals()))

    def _factor(self, group: Group) -> Any:
        if type(self) is not SGD or group["momentum"] or group["weight_decay"]:
            return None
        return -group["lr"] if group["maximize"] else group["lr"]

    def update(self, x: Array, g: Array, state: State, group: Group) -> None:
        """See the class."""
        momentum = group["momentum"]
        if momentum:
            first = "momentum_buffer" not in state
            (v,) = _kept(state, x, "momentum_buffer")
            v *= momentum
            v += g if first else (1 - group["dampening"]) * g
            g = g + momentum * v if group["nesterov"] else v
        subtract_scaled(x, group["lr"], g)


class Adam(Optimizer):
    """Adaptive moments: x -= lr * m / (sqrt(v) + eps).

    m and v are running averages of g and of g*g, which start at 0 and are corrected for that:
    after t steps they are divided by 1 - beta**t. With `amsgrad` v is the largest so far
    (D. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2015; S. Reddi et al., "On
    the convergence of Adam and beyond", 2018). `decoupled_weight_decay` makes it `AdamW`.

    >>> from tinytorch import Tensor
    >>> x = Tensor([3.0])
    >>> optimizer = Adam([x], lr=0.1)
    >>> (x**2).sum().backward()
    >>> optimizer.step()
    >>> x.data.round(3)
    array([2.9])
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(params, _options(locals()))

    def update(self, x: Array, g: Array, state: State, group: Group) -> None:
        """See the class."""
        (beta1, beta2), t = group["betas"], _count(state)
        m, v = _kept(state, x, "exp_avg", "exp_avg_sq")
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        if group["amsgrad"]:
            (largest,) = _kept(state, x, "max_exp_avg_sq")
            v = np.maximum(largest, v, out=largest)
        # Adam's own order (section 2): sqrt(v / c) + eps is (sqrt(v) + eps * sqrt(c)) / sqrt(c).
        root = (1 - beta2**t) ** 0.5
        rate = group["lr"] * root / (1 - beta1**t)
        x -= rate * m / (np.sqrt(v) + group["eps"] * root)


class AdamW(Adam):
    """Adam whose weight decay is no part of the gradient: x *= 1 - lr * weight_decay, then a step.

    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", 2019.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad,
            maximize=maximize, decoupled_weight_decay=True,
        )  # fmt: skip


class NAdam(Optimizer):
    """Adam with Nesterov's momentum, which grows to beta1 over the steps.

    With mu(t) = beta1 * (1 - 0.96**(t * momentum_decay) / 2) and M(t) = mu(1) * ... * mu(t),
    x -= lr * (mu(t+1) / (1 - M(t+1)) * m + (1 - mu(t)) / (1 - M(t)) * g) / (sqrt(v) + eps)
    (T. Dozat, "Incorporating Nesterov momentum into Adam", 2016).
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, _options(locals()))

    def update(self, x: Array, g: Array, state: State, group: Group) -> None:
        """See the class."""
        (beta1, beta2), t = group["betas"], _count(state)
        mu, next_mu = (
            beta1 * (1 - 0.5 * 0.96 ** (i * group["momentum_decay"])) for i in (t, t + 1)
        )
        product = state["mu_product"] = state.get("mu_product", 1.0) * mu
        m, v = _kept(state, x, "exp_avg", "exp_avg_sq")
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        step = next_mu / (1 - product * next_mu) * m + (1 - mu) / (1 - product) * g
        x -= group["lr"] * step / (np.sqrt(v / (1 - beta2**t)) + group["eps"])


class RMSprop(Optimizer):
    """x -= lr * g / (sqrt(v) + eps), v a running average of g*g: v = alpha * v + (1 - alpha) * g*g.

    If `centered`, the square of the running average of g is taken from v. With momentum, the steps
    add up: b = momentum * b + g / (sqrt(v) + eps), x -= lr * b (G. Hinton, lecture 6 of "Neural
    networks for machine learning", 2012; A. Graves, "Generating sequences with recurrent neural
    networks", 2013).
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, _options(locals()))

    def update(self, x: Array, g: Array, state: State, group: Group) -> None:
        """See the class."""
        _count(state)
        (v,) = _kept(state, x, "square_avg")
        v += (1 - group["alpha"]) * (g * g - v)
        if group["centered"]:
            (mean,) = _kept(state, x, "grad_avg")
            mean += (1 - group["alpha"]) * (g - mean)
            v = v - mean * mean
        step = g / (np.sqrt(v) + group["eps"])
        if group["momentum"]:
            (b,) = _kept(state, x, "momentum_buffer")
            b *= group["momentum"]
            b += step
            step = b
        x -= group["lr"] * step


class Adagrad(Optimizer):
    """x -= lr * g / (sqrt(s) + eps), s the sum of all g*g; before step t lr / (1 + t * lr_decay).

    The sum starts at `initial_accumulator_value` (J. Duchi et al., "Adaptive subgradient methods
    for online learning and stochastic optimization", 2011).
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, _options(locals()))

    def update(self, x: Array, g: Array, state: State, group: Group) -> None:
        """See the class."""
        lr = group["lr"] / (1 + (_count(state) - 1) * group["lr_decay"])
        if "sum" not in state:
            state["sum"] = np.full_like(x, group["initial_accumulator_value"])
        s = state["sum"]
        s += g * g
        x -= lr * g / (np.sqrt(s) + group["eps"])


class Adadelta(Optimizer):
    """x -= lr * d, d = sqrt(u + eps) / sqrt(v + eps) * g: steps in the units of x.

    v and u are running averages of g*g and of d*d, v = rho * v + (1 - rho) * g*g (M. Zeiler,
    "Adadelta: an adaptive learning rate method", 2012).
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, _options(locals()))

    def update(self, x: Array, g: Array, state: State, group: Group) -> None:
        """See the class."""
        _count(state)
        rho, eps = group["rho"], group["eps"]
        v, u = _kept(state, x, "square_avg", "acc_delta")
        v += (1 - rho) * (g * g - v)
        d = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u += (1 - rho) * (d * d - u)
        x -= group["lr"] * d


class Adamax(Optimizer):
    """Adam with the largest |g| in place of v: x -= lr / (1 - beta1**t) * m / u.

    u = max(beta2 * u, |g| + eps) (D. Kingma and J. Ba, "Adam: a method for stochastic
    optimization", 2015).
    """

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, _options(locals()))

    def update(self, x: Array, g: Array, state: State, group: Group) -> None:
        """See the class."""
        (beta1, beta2), t = group["betas"], _count(state)
        m, u = _kept(state, x, "exp_avg", "exp_inf")
        m += (1 - beta1) * (g - m)
        np.maximum(beta2 * u, np.abs(g) + group["eps"], out=u)
        x -= group["lr"] / (1 - beta1**t) * m / u


def _options(arguments: dict[str, Any]) -> dict[str, Any]:
    """Give the options among the arguments of an `__init__`."""
    return {k: v for k, v in arguments.items() if k not in ("self", "params", "__class__")}


def _count(state: State) -> Any:
    """Count the steps: a float, since in a compiled step a float may change from call to call."""
    state["step"] = state.get("step", 0.0) + 1
    return state["step"]


def _kept(state: State, x: Array, *names: str) -> list[Any]:
    """Give the arrays of these names in the state, in the beginning zeros like x."""
    for name in names:
        if name not in state:
            state[name] = np.zeros_like(x)
    return [state[name] for name in names]
