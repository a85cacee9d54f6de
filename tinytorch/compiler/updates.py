"""Updates come last and all at once: an interrupt finds all parameters changed, or none.

Python looks for Ctrl-C between two lines, not within a call of C's. So calls such as w -= step, of
arrays outside that the program doesn't look at again, are put at the end, where a single call makes
them all. What is changed more than once, or read afterwards, is changed where it was: an
optimiser's moments, say, may be a step ahead after an interrupt.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from tinytorch.compiler.passes import is_in_place
from tinytorch.compiler.program import Call, Constant, Value

# Arrays of more bytes than these together are changed where they were: what is added to them would
# have to be kept until the end.
_MOST = 1 << 22


def updates_last(calls: Sequence[Call], values: Sequence[Value]) -> tuple[list[Call], int]:
    """Put updates at the end; give the calls, and how many updates there are."""
    times = Counter(values[slot].root for call in calls for slot in call.written)
    used: set[int] = set()  # by what comes afterwards, and isn't put at the end
    changed: set[int] = set()
    remaining, last, size = [], [], 0
    for call in reversed(calls):
        inputs = {values[slot].root for slot in call.inputs()}
        if _is_update(call, values) and times[slot := call.written[0]] == 1:
            bytes_ = math.prod(values[slot].shape) * values[slot].dtype.itemsize
            if slot not in used and not inputs & changed and size + bytes_ <= _MOST:
                last.append(call)
                size += bytes_
                continue
        remaining.append(call)
        used |= inputs
        changed |= {values[slot].root for slot in call.written}
    return [*reversed(remaining), *reversed(last)], len(last)


def _is_update(call: Call, values: Sequence[Value]) -> bool:
    """Tell x op= y for an array from outside."""
    return (
        len(call.args) == 2
        and call.errstate is None
        and is_in_place(call, values)
        and not isinstance(values[call.written[0]].source, Constant | type(None))
    )
