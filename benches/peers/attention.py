"""PyTorch: causal attention of a SASRec block by itself, forward and all gradients.

    python benches/peers/attention.py [--steps N] [--warmup M] [--threads T] [--stock] [--way WAY]

Batch 128, length 50, width 64, 2 heads. `core` takes queries, keys and values as they are; `block` adds layer norm, the
projections, dropout 0.2 on weights and output, and the residual.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

import timing

GROUP = "attention"
BATCH, LENGTH, WIDTH, N_HEADS, DROPOUT = 128, 50, 64, 2, 0.2
WAYS = ["fused", "products"]


def attend(way, q, k, v, dropout):
    """Causal attention, `[batch, heads, length, width]` each.

    `fused` is PyTorch's own function. With dropout it falls back on a CPU to a chain of operations; without, its blocks
    are made for longer sequences. `products` spells the chain out and is the fastest in all cases here.
    """
    if way == "fused":
        return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
    future = torch.full((q.shape[-2], q.shape[-2]), float("-inf")).triu(1)
    scale = q.shape[-1] ** -0.5
    scores = torch.baddbmm(future, (q * scale).flatten(0, 1), k.flatten(0, 1).transpose(1, 2))
    weights = F.dropout(scores.softmax(-1), dropout) if dropout else scores.softmax(-1)
    return torch.bmm(weights, v.flatten(0, 1)).view(q.shape)


class AttentionBlock(nn.Module):
    """`x + dropout(attention(norm(x)))`."""

    def __init__(self, way, dropout=DROPOUT):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.inner = nn.Linear(WIDTH, 3 * WIDTH)
        self.outer = nn.Linear(WIDTH, WIDTH)
        self.way, self.dropout = way, dropout

    def forward(self, x):
        """`[batch, length, width]` -> the same."""
        batch, length, width = x.shape
        heads = self.inner(self.norm(x)).view(batch, length, 3, N_HEADS, width // N_HEADS).permute(2, 0, 3, 1, 4)
        mixed = attend(self.way, *heads.unbind(0), self.dropout)
        mixed = mixed.transpose(1, 2).reshape(batch, length, width)
        return x + F.dropout(self.outer(mixed), self.dropout)


def core_times(options, way, dropout):
    """Milliseconds of attention on given queries, keys and values."""
    shape = (BATCH, N_HEADS, LENGTH, WIDTH // N_HEADS)
    heads = [torch.randn(shape, requires_grad=True) for _ in range(3)]
    upstream = torch.randn(shape)

    def step():
        torch.autograd.grad(attend(way, *heads, dropout), heads, upstream)

    return timing.measure(step, [()] * (options.warmup + options.steps), options.warmup)


def block_times(options, way):
    """Milliseconds of the whole block."""
    block = AttentionBlock(way)
    x = torch.randn(BATCH, LENGTH, WIDTH, requires_grad=True)
    wanted, upstream = [x, *block.parameters()], torch.randn(BATCH, LENGTH, WIDTH)

    def step():
        torch.autograd.grad(block(x), wanted, upstream)

    return timing.measure(step, [()] * (options.warmup + options.steps), options.warmup)


def main():
    parser = timing.parser(__doc__.splitlines()[0], steps=50, warmup=5)
    parser.add_argument("--way", choices=WAYS, default="products", help="default: the faster one")
    options = parser.parse_args()
    timing.set_up(options)
    core = f"core {BATCH}x{N_HEADS}x{LENGTH}x{WIDTH // N_HEADS}"
    timing.report(options, GROUP, core, timing.PLAIN, ms=core_times(options, options.way, 0.0))
    timing.report(options, GROUP, f"{core}, dropout", timing.PLAIN, ms=core_times(options, options.way, DROPOUT))
    block = f"block {BATCH}x{LENGTH}x{WIDTH}"
    timing.report(options, GROUP, block, timing.PLAIN, ms=block_times(options, options.way))


if __name__ == "__main__":
    main()
