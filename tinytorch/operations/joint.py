"""Rules of several inputs that have most of their work in common, which is done once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tinytorch.engine import Rule


class JointRules:
    """Rules for the inputs of an operation that share what `work(grad, out, *inputs)` gives.

    `rule(shared, out, *inputs)` gives an input's share. Each time the engine goes through them to
    pull a gradient, the first rule that it calls does the work, and the last takes it along.
    """

    def __init__(self, work: Callable[..., Any], *rules: Rule) -> None:
        self._work, self._rules = work, rules

    def __iter__(self) -> Iterator[Rule]:
        done: list[Any] = []

        def with_work(rule: Rule) -> Rule:
            def share(grad: Any, *given: Any) -> Any:
                if not done:
                    done.append(self._work(grad, *given))
                return rule(done[0], *given)

            return share

        return map(with_work, self._rules)
