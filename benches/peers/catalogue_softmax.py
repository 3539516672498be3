"""PyTorch: cross-entropy over the whole catalogue, forward and the gradients of hidden states and item table.

    python benches/peers/catalogue_softmax.py [--steps N] [--warmup M] [--threads T] [--stock] [--items N]

6,400 positions of width 64 against 3,417 items, with a table of standard deviation 0.02, and with a tied table drawn
N(0, 1) (`wide`), whose probabilities fall below the smallest normal number. Then 100,000 items in a process of its own,
time and memory. With `--items` only that many items, time and memory.
"""

import subprocess
import sys

import torch
import torch.nn.functional as F

import timing

GROUP = "catalogue_softmax"
POSITIONS, WIDTH, ITEMS, MANY_ITEMS = 6_400, 64, 3_417, 100_000


def inputs(n_items, wide):
    """Hidden states, item table and targets."""
    targets = torch.randint(n_items, (POSITIONS,))
    table = torch.randn(n_items, WIDTH) * (1.0 if wide else 0.02)
    # Hidden states of an untrained tied model resemble the embedding of their own input item.
    hidden = table[torch.randint(n_items, (POSITIONS,))] if wide else torch.randn(POSITIONS, WIDTH)
    return hidden.requires_grad_(), table.requires_grad_(), targets


def loss_and_gradients(hidden, table, targets):
    """The mean loss and its gradients."""
    loss = F.cross_entropy(hidden @ table.T, targets)
    return loss, *torch.autograd.grad(loss, [hidden, table])


def times(options, n_items, wide):
    """Milliseconds of each step."""
    batches = [inputs(n_items, wide)] * (options.warmup + options.steps)
    return timing.measure(loss_and_gradients, batches, options.warmup)


def memory_in_mb(n_items):
    """Growth of the peak of resident memory through one step, its outputs left out."""
    import resource  # not on Windows

    def peak_in_bytes():
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    loss_and_gradients(*inputs(128, wide=False))  # starts the threads and loads the libraries
    arguments = inputs(n_items, wide=False)
    before = peak_in_bytes()
    outputs = loss_and_gradients(*arguments)
    own = sum(output.numel() * output.element_size() for output in outputs)
    return (peak_in_bytes() - before - own) / 1e6


def report_items(options, n_items):
    """Prints memory, before anything else has grown, and time."""
    case = f"{POSITIONS}x{WIDTH}x{n_items}"
    timing.report(options, GROUP, case, timing.PLAIN, mb=round(memory_in_mb(n_items), 1))
    timing.report(options, GROUP, case, timing.PLAIN, ms=times(options, n_items, wide=False))


def run_many_items(options):
    """The same program with `--items`, two steps: the peak of this process would hide its peak."""
    arguments = ["--items", MANY_ITEMS, "--steps", 2, "--warmup", 1, "--threads", options.threads]
    arguments += ["--stock"] if options.stock else []
    subprocess.run([sys.executable, __file__, *map(str, arguments)], check=True)


def main():
    parser = timing.parser(__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, help="only this many items, time and memory")
    options = parser.parse_args()
    # Kept buffers are faster and raise the peak, so not where memory is measured.
    timing.set_up(options, keep_memory=options.items is None)
    if options.items is not None:
        report_items(options, options.items)
        return
    for wide in [False, True]:
        case = f"{POSITIONS}x{WIDTH}x{ITEMS}" + (", wide" if wide else "")
        timing.report(options, GROUP, case, timing.PLAIN, ms=times(options, ITEMS, wide))
    run_many_items(options)


if __name__ == "__main__":
    main()
