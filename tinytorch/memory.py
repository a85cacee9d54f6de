"""What the process does with memory that it has no more use for."""

from __future__ import annotations

import numpy as np

# Glibc gives arrays larger than any that was freed before back to the system at once, and maps new
# pages for the next. It learns from what is freed, up to 32 MiB: this, which is never written to
# and so takes no memory, is the lesson. From then on some 64 MiB are kept for the next arrays.
np.empty(2**25 - 2**16, np.uint8)

# The parameters of mallopt(3), as in malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Keep what this process frees, for its next arrays, instead of giving it back to the system.

    The system hands out memory page by page, each filled with zeros. For large arrays that can take
    several times as long as to compute what is in them. Some 64 MB of what is freed stay anyway,
    for arrays of up to 32 MB. After this call the process stays as large as it has been at its
    largest. It concerns the whole process, and lasts until its end.

    Raises OSError where memory is not glibc's, as it is on most Linux systems.
    """
    import ctypes
    import platform

    if platform.libc_ver()[0] != "glibc":
        raise OSError(
            "keep_freed_memory: it tells glibc to keep memory, and here is another C library"
        )
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(_M_MMAP_MAX, 0)  # what is mapped on its own would go back on its own
