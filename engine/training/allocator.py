"""How the C library keeps memory that a training step has freed, for the next step.

A step frees what the next one asks for again. glibc gives large pieces back to the kernel, which clears every page
before it is handed out once more: a quarter of a step's time on a CPU. Knows nothing of tensors.
"""

import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of `mallopt`'s parameters (malloc.h)."""
MOST_MAPPED = 32 << 20
"""Bytes; glibc takes no more for `MMAP_THRESHOLD` (half of its `HEAP_MAX_SIZE`)."""


def keep_freed_memory() -> bool:
    """Tell glibc to hold what this process frees, from now on; whether there was a glibc to tell.

    Other allocators, preloaded or of other systems, stay as they are: their `mallopt`, if any, does nothing or less.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # TypeError: Windows has no library named None
        return False
    return bool(mallopt(MMAP_THRESHOLD, MOST_MAPPED)) and bool(mallopt(TRIM_THRESHOLD, 2**31 - 1))
