"""A program that is ready to run: what it reads before, and what it sets and gives afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinytorch.arrays.parts import map_parts
from tinytorch.arrays.scattered import whole
from tinytorch.compiler.blocks import in_runs
from tinytorch.compiler.environment import Environment, Place
from tinytorch.compiler.execute import Executable
from tinytorch.compiler.gpu import OnGpu
from tinytorch.compiler.kernels import in_kernels
from tinytorch.compiler.passes import optimise
from tinytorch.compiler.program import Argument, Gradient, Program, Ref
from tinytorch.compiler.recording import Made, arrayed
from tinytorch.compiler.source import Source
from tinytorch.compiler.storage import is_large
from tinytorch.compiler.updates import updates_last
from tinytorch.engine import Node


class Ready:
    """A program with what it reads before it runs, and what it sets afterwards."""

    def __init__(
        self,
        program: Program,
        arguments: Sequence[str],
        environment: Environment,
        threads: int,
    ) -> None:
        self.program, self.arguments = program, arguments
        self.inputs = [
            value.slot
            for value in program.values
            if isinstance(value.source, Argument | Gradient | Place)
        ]
        outputs: dict[int, int] = {}

        def output(x: Any) -> None:
            slot = x.slot if type(x) is Ref else x.data.slot if isinstance(x, Made) else None
            if slot is not None:
                outputs.setdefault(slot, len(outputs))

        map_parts(output, program.results)
        for _, slot in program.gradients:
            output(None if slot is None else Ref(slot))
        for _, made in program.rebound:
            output(made)
        self.outputs = outputs
        program, places = optimise(program, outputs)
        self._asarray: Callable[[Any], Any] = np.asarray
        if any(value.on_gpu for value in program.values):
            self._asarray = arrayed
            # A GPU warns of nothing.
            program.calls = [replace(call, errstate=None) for call in program.calls]
            calls = in_kernels(program.calls, program.values, places)
            self.executable: Executable = OnGpu(program, places, self.inputs, calls=calls)
        else:
            calls, n_last = updates_last(program.calls, program.values)
            calls = in_runs(calls, program.values, places, threads)
            self.executable = Executable(program, places, self.inputs, calls=calls, n_last=n_last)
        self._gradients = [
            (key, None if slot is None else outputs[slot]) for key, slot in program.gradients
        ]
        read = [v.source.node for v in program.values if isinstance(v.source, Gradient)]
        self._forgotten = [  # before the program runs, so that the next are where they were
            key
            for key, slot in program.gradients
            if slot is not None and is_large(program.values[slot]) and not _is_in(key, read)
        ]
        self.settle(environment)

    def settle(self, environment: Environment) -> None:
        """Look for what is outside where it is now."""
        self.environment, places = environment, environment.places
        self.sources = [self.program.values[slot].source for slot in self.inputs]
        self.sources = [places[x.name] if type(x) is Place else x for x in self.sources]
        self.program.rebound = [(places[x.name], made) for x, made in self.program.rebound]

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """Run on the arguments' leaves: update what is outside, and give the results."""
        program = self.program
        given = [_read(source, leaves) for source in self.sources]
        for key in self._forgotten:
            _node(key, leaves)._grad = None
        try:
            out = self.executable.run(*given)
        except Exception as error:
            call = self.executable.call_of(error)
            if call is not None:
                name = getattr(call.function, "__name__", call.function)
                error.add_note(f"in {name}, recorded at {call.line}: {call.line.text}")
            raise
        for key, i in self._gradients:
            _node(key, leaves)._grad = None if i is None else self._asarray(out[i])
        for place, made in program.rebound:
            place.write(self._result(made, out, leaves))
        if type(program.results) is Made:
            return self._result(program.results, out, leaves)
        return map_parts(lambda x: self._result(x, out, leaves), program.results)

    def source(self, name: str) -> Source:
        """Write the program down as text."""
        run = self.executable
        gradients = [(key, run.outputs[i]) for key, i in self._gradients if i is not None]
        labels: list[tuple[str, int]] = []

        def note(x: Any) -> None:
            if isinstance(x, Made) and x.label:
                labels.append((x.label, run.outputs[self.outputs[x.data.slot]]))

        map_parts(note, self.program.results)
        return Source(
            name, run.program, run.outputs, labels, gradients, self.arguments, self.environment
        )

    def _result(self, x: Any, out: tuple[Any, ...], leaves: Sequence[Any]) -> Any:
        if type(x) is Ref:
            value, described = out[self.outputs[x.slot]], self.program.values[x.slot]
            if described.shape or described.weak:
                return value
            array = self._asarray(value)
            return array[()] if described.scalar else array
        if not isinstance(x, Made):
            return x
        if type(x.node) is Argument:
            return leaves[x.node.number]
        return x.tensor(out[self.outputs[x.data.slot]]) if x.node is None else x.node


def _read(source: Any, leaves: Sequence[Any]) -> Any:
    if type(source) is Argument:
        leaf = leaves[source.number]
        return leaf._value if isinstance(leaf, Node) else leaf
    if type(source) is Place:
        return source.read()
    return arrayed(whole(_node(source.node, leaves)._grad))


def _node(key: Any, leaves: Sequence[Any]) -> Any:
    return leaves[key.number] if type(key) is Argument else key


def _is_in(key: Any, keys: Sequence[Any]) -> bool:
    return any(key is x or (type(key) is type(x) is Argument and key == x) for x in keys)
