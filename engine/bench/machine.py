"""The machine that is measured on, and the most it reaches here and now. Knows nothing of models."""

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

SIDE = 2048
"""Rows and columns of the matrices whose product is timed."""
COPIED = 64 << 20
"""Bytes that are copied at once: more than the caches next to a core hold."""
TIMES = 8
INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "amx_int8")


def settle(device: torch.device) -> None:
    """Wait until the device has done what was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def machine(device: torch.device) -> dict[str, Any]:
    """What a reader has to know of it."""
    flags = _cpuinfo("flags").split()
    found: dict[str, Any] = {
        "processor": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_before": round(os.getloadavg()[0], 2),
        "torch": torch.__version__,
        "device": str(device),
    }
    if device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
    return found


def peaks(device: torch.device) -> dict[str, float]:
    """Operations a second of a matrix product in each dtype, and bytes a second of a copy (read and written), the best
    of a few."""
    found = {}
    for dtype in (torch.bfloat16, torch.float32):
        a = torch.randn(SIDE, SIDE, device=device).to(dtype)
        name = str(dtype).removeprefix("torch.")
        found[f"product_{name}"] = 2.0 * SIDE**3 / _best(lambda a=a: a @ a, device)  # type: ignore[misc]
    source = torch.ones(COPIED, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    found["copy"] = 2.0 * COPIED / _best(lambda: target.copy_(source), device)
    return found


def _best(work: Callable[[], object], device: torch.device) -> float:
    best = float("inf")
    for _ in range(TIMES):
        settle(device)
        start = time.perf_counter()
        work()
        settle(device)
        best = min(best, time.perf_counter() - start)
    return best


def _cpuinfo(key: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
