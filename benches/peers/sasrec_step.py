"""PyTorch: one training step of SASRec with the softmax over the whole catalogue.

    python benches/peers/sasrec_step.py [--steps N] [--warmup M] [--threads T] [--stock] [--way WAY]

Width 64, 2 pre-norm blocks, 2 heads, length 50, batch 128, 3,417 items, feed-forward 256 with GELU, dropout 0.2 where
`nn.TransformerEncoderLayer` has it, learned positions, a last layer norm, output tied to the item table, dense Adam.
`wide` draws the tied table N(0, 1) instead of N(0, 0.02²).
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

import timing
from attention import BATCH, DROPOUT, LENGTH, N_HEADS, WIDTH, AttentionBlock

GROUP = "sasrec_step"
N_ITEMS, N_BLOCKS, FEED_FORWARD = 3_417, 2, 256
WAYS = ["encoder", "fused", "products"]


class Block(nn.Module):
    """What `nn.TransformerEncoderLayer(norm_first=True)` computes, with attention written as `way` says."""

    def __init__(self, way):
        super().__init__()
        self.attention = AttentionBlock(way)
        self.norm = nn.LayerNorm(WIDTH)
        self.inner = nn.Linear(WIDTH, FEED_FORWARD)
        self.outer = nn.Linear(FEED_FORWARD, WIDTH)

    def forward(self, x):
        """`[batch, length, width]` -> the same."""
        x = self.attention(x)
        inner = F.dropout(F.gelu(self.inner(self.norm(x))), DROPOUT)
        return x + F.dropout(self.outer(inner), DROPOUT)


class Encoder(nn.Module):
    """PyTorch's own encoder layers under a causal mask."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            WIDTH, N_HEADS, FEED_FORWARD, DROPOUT, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, N_BLOCKS, enable_nested_tensor=False)
        self.mask = nn.Transformer.generate_square_subsequent_mask(LENGTH)

    def forward(self, x):
        """`[batch, length, width]` -> the same."""
        return self.layers(x, mask=self.mask, is_causal=True)


class SasRec(nn.Module):
    """Scores of all items after every position."""

    def __init__(self, way, std):
        super().__init__()
        self.items = nn.Embedding(N_ITEMS, WIDTH)
        self.positions = nn.Parameter(torch.randn(LENGTH, WIDTH) * 0.02)
        self.blocks = Encoder() if way == "encoder" else nn.Sequential(*[Block(way) for _ in range(N_BLOCKS)])
        self.norm = nn.LayerNorm(WIDTH)
        nn.init.normal_(self.items.weight, std=std)

    def forward(self, item_seq):
        """`[batch, length]` -> logits `[batch * length, items]`."""
        hidden = self.norm(self.blocks(self.items(item_seq) + self.positions))
        return hidden.flatten(0, 1) @ self.items.weight.T


def times(options, std):
    """Milliseconds of each step."""
    model = SasRec(options.way, std)
    optimizers = [timing.dense_adam(options, model.parameters())]

    def step(item_seq, targets):
        timing.train_step(optimizers, F.cross_entropy(model(item_seq), targets.flatten()))

    draw = lambda: torch.randint(N_ITEMS, (BATCH, LENGTH))
    batches = [(draw(), draw()) for _ in range(options.warmup + options.steps)]
    return timing.measure(step, batches, options.warmup)


def main():
    parser = timing.parser(__doc__.splitlines()[0])
    parser.add_argument("--way", choices=WAYS, default="products", help="default: the fastest of the three")
    options = parser.parse_args()
    timing.set_up(options)
    case = f"{BATCH}x{LENGTH}x{WIDTH}"
    timing.report(options, GROUP, case, timing.PLAIN, ms=times(options, std=0.02))
    timing.report(options, GROUP, f"{case}, wide", timing.PLAIN, ms=times(options, std=1.0))


if __name__ == "__main__":
    main()
