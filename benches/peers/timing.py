"""What the PyTorch peers share: options, settings that make PyTorch fast on a CPU, timing, and one JSON line per case.

A line holds the times of all measured steps, {"group", "case", "implementation", "ms": [..]}, or an amount of memory,
{"group", "case", "implementation", "mb": x}. Everything that a training loop would have at hand before its step (ids,
targets) is drawn before the clock starts; gathering features by id belongs to the step.
"""

import argparse
import ctypes
import json
import sys
import time

import torch

DENSE, SPARSE, PLAIN = "torch dense adam", "torch sparse adam", "torch"


def parser(description, steps=20, warmup=3):
    """An argument parser with the options that every peer has."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--steps", type=int, default=steps, help="measured steps of each case")
    options.add_argument("--warmup", type=int, default=warmup, help="steps before them that are not measured")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--seed", type=int, default=42)
    options.add_argument("--stock", action="store_true", help="leave out the settings that make PyTorch faster")
    return options


def set_up(options, keep_memory=True):
    """Gives PyTorch its threads and its seed and, unless `--stock`, takes away what slows it down needlessly."""
    if not options.stock:
        # Threads inherit this flag, so it comes before the first parallel operation.
        torch.set_flush_denormal(True)
        if keep_memory:
            keep_freed_memory()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)


def keep_freed_memory():
    """Tells the C library to keep freed buffers; fresh ones of 80 MB a step would cost page faults.

    PyTorch's tuning guide advises jemalloc or TCMalloc for the same reason; this needs no other library. Elsewhere
    than on glibc nothing happens.
    """
    trim_threshold, top_pad, mmap_max = -1, -2, -4
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(top_pad, 2**26)


def dense_adam(options, parameters, learning_rate=1e-3):
    """Adam over all rows; the fused one is a single pass over the parameters, and not the default on a CPU."""
    return torch.optim.Adam(parameters, lr=learning_rate, fused=None if options.stock else True)


def sparse_adam(parameters, learning_rate=1e-3):
    """Adam over the rows that have a gradient; its tables need `sparse=True`."""
    return torch.optim.SparseAdam(list(parameters), lr=learning_rate)


def train_step(optimizers, loss):
    """One step of all `optimizers` on `loss`."""
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()


def measure(step, batches, warmup):
    """Milliseconds of `step(*batch)` for every batch but the first `warmup`."""
    times = []
    for batch in batches:
        started = time.perf_counter_ns()
        step(*batch)
        times.append((time.perf_counter_ns() - started) / 1e6)
    return times[warmup:]


def report(options, group, case, implementation, **figures):
    """Prints the line of one case."""
    implementation += ", stock" if options.stock else ""
    rounded = {name: [round(x, 4) for x in value] if name == "ms" else value for name, value in figures.items()}
    print(json.dumps({"group": group, "case": case, "implementation": implementation, **rounded}), flush=True)
