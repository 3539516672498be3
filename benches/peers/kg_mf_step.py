"""PyTorch: one training step of a matrix factorisation with attention over item tags, at the sizes of MovieLens 20M.

    python benches/peers/kg_mf_step.py [--steps N] [--warmup M] [--threads T] [--stock] [--distinct]

The prediction is the product of user and item vector, scaled by the sigmoid of a small network over the item's 1,128
tags. Users are drawn uniformly; items uniformly, or by Zipf's law (`zipf`), which is nearer to real counts. `all parts` is
the whole model of `kg_mf_parts.py`.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

import kg_mf_parts
import timing

GROUP = "kg_mf_step"
N_USERS, N_ITEMS, N_TAGS, EMBEDDING_DIM = 138_494, 26_745, 1_128, 64


class TaggedFactors(nn.Module):
    """`sigmoid(attention(tags)) * <user, item>`."""

    def __init__(self, tags, sparse, distinct):
        super().__init__()
        self.users = nn.Embedding(N_USERS, EMBEDDING_DIM, sparse=sparse)
        self.items = nn.Embedding(N_ITEMS, EMBEDDING_DIM, sparse=sparse)
        self.attention = nn.Sequential(nn.Linear(N_TAGS, 32), nn.ReLU(), nn.Linear(32, 1))
        self.tags = tags
        self.distinct = distinct

    def scales(self, item_ids):
        """`[batch]` -> `[batch]`, between 0 and 1."""
        if self.distinct:
            item_ids, place = torch.unique(item_ids, return_inverse=True)
        scales = torch.sigmoid(self.attention(self.tags[item_ids])).squeeze(1)
        return scales[place] if self.distinct else scales

    def forward(self, user_ids, item_ids):
        """Predicted rating of each pair."""
        return (self.users(user_ids) * self.items(item_ids)).sum(1) * self.scales(item_ids)


def item_weights(zipf):
    """Chance of each item, up to a factor, the popular ones scattered over the ids."""
    if not zipf:
        return None
    return (1.0 / torch.arange(1, N_ITEMS + 1, dtype=torch.float64))[torch.randperm(N_ITEMS)]


def draw_batch(size, weights):
    """User ids, item ids and ratings between 0 and 5."""
    items = torch.randint(N_ITEMS, (size,)) if weights is None else torch.multinomial(weights, size, replacement=True)
    return torch.randint(N_USERS, (size,)), items, torch.rand(size) * 5


def times(options, tags, size, zipf, sparse):
    """Milliseconds of each step."""
    model = TaggedFactors(tags, sparse, options.distinct)
    tables, layers = [model.users.weight, model.items.weight], list(model.attention.parameters())
    if sparse:
        optimizers = [timing.dense_adam(options, layers), timing.sparse_adam(tables)]
    else:
        optimizers = [timing.dense_adam(options, layers + tables)]
    weights = item_weights(zipf)
    batches = [draw_batch(size, weights) for _ in range(options.warmup + options.steps)]

    def step(users, items, ratings):
        timing.train_step(optimizers, F.mse_loss(model(users, items), ratings))

    return timing.measure(step, batches, options.warmup)


def times_of_all_parts(options, tags, graph, size, sparse):
    """Milliseconds of each step of the whole model."""
    model = kg_mf_parts.AllParts(N_USERS, N_ITEMS, EMBEDDING_DIM, tags, graph, sparse)
    if sparse:
        optimizers = [timing.dense_adam(options, model.layers()), timing.sparse_adam(model.tables())]
    else:
        optimizers = [timing.dense_adam(options, list(model.parameters()))]
    weights = item_weights(zipf=True)

    def draw():
        users, items, ratings = draw_batch(size, weights)
        return users, items, kg_mf_parts.draw_moments(users), ratings

    def step(*batch):
        timing.train_step(optimizers, model.loss(*batch))

    return timing.measure(step, [draw() for _ in range(options.warmup + options.steps)], options.warmup)


def main():
    parser = timing.parser(__doc__.splitlines()[0])
    parser.add_argument("--distinct", action="store_true", help="score the tags of an item once per batch")
    options = parser.parse_args()
    timing.set_up(options)
    tags = torch.rand(N_ITEMS, N_TAGS)
    for zipf in [False, True]:
        for size in [1024, 8192]:
            case = f"batch {size}" + (", zipf" if zipf else "") + (", distinct items" if options.distinct else "")
            timing.report(options, GROUP, case, timing.DENSE, ms=times(options, tags, size, zipf, sparse=False))
            timing.report(options, GROUP, case, timing.SPARSE, ms=times(options, tags, size, zipf, sparse=True))
    graph = kg_mf_parts.draw_graph(N_ITEMS)
    for size in [8192, 16384]:
        for name, sparse in [(timing.DENSE, False), (timing.SPARSE, True)]:
            ms = times_of_all_parts(options, tags, graph, size, sparse)
            timing.report(options, GROUP, f"all parts, batch {size}, zipf", name, ms=ms)


if __name__ == "__main__":
    main()
