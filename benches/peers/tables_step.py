"""PyTorch: one training step on embedding tables of growing size, the batch staying the same.

    python benches/peers/tables_step.py [--steps N] [--warmup M] [--threads T] [--stock] [--max-rows N]

1,024 ids drawn uniformly -> rows of width 32 -> 64 -> 1, and -> 256 -> 128 -> 128 -> 1 (`tower`), binary
cross-entropy. SparseAdam on all sizes, dense Adam up to a million rows (ten million take half a second a step and 5 GB).
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

import timing

GROUP = "tables"
WIDTH, BATCH, DENSE_LIMIT = 32, 1_024, 1_000_000


def layers_of(widths):
    """Linear layers of these widths with ReLU between them."""
    pairs = zip(widths, widths[1:])
    layers = [layer for pair in pairs for layer in (nn.Linear(*pair), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def times(options, n_rows, widths, sparse):
    """Milliseconds of each step."""
    table = nn.Embedding(n_rows, WIDTH, sparse=sparse)
    mlp = layers_of(widths)
    layers = list(mlp.parameters())
    if sparse:
        optimizers = [timing.dense_adam(options, layers), timing.sparse_adam([table.weight])]
    else:
        optimizers = [timing.dense_adam(options, layers + [table.weight])]

    def step(ids, labels):
        logits = mlp(table(ids)).squeeze(1)
        timing.train_step(optimizers, F.binary_cross_entropy_with_logits(logits, labels))

    count = options.warmup + options.steps
    batches = [(torch.randint(n_rows, (BATCH,)), torch.rand(BATCH).round()) for _ in range(count)]
    return timing.measure(step, batches, options.warmup)


def main():
    parser = timing.parser(__doc__.splitlines()[0], steps=50, warmup=5)
    parser.add_argument("--max-rows", type=int, default=10_000_000)
    options = parser.parse_args()
    timing.set_up(options)
    for note, widths in [("", [WIDTH, 64, 1]), (", tower", [WIDTH, 256, 128, 128, 1])]:
        for n_rows in [10**4, 10**5, 10**6, 10**7]:
            if n_rows > options.max_rows:
                continue
            case = f"{n_rows}x{WIDTH}{note}"
            if n_rows <= DENSE_LIMIT:
                timing.report(options, GROUP, case, timing.DENSE, ms=times(options, n_rows, widths, sparse=False))
            timing.report(options, GROUP, case, timing.SPARSE, ms=times(options, n_rows, widths, sparse=True))


if __name__ == "__main__":
    main()
