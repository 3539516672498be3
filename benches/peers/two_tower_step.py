"""PyTorch: one training step of a two-tower model, 93,543 users and 159,279 items.

    python benches/peers/two_tower_step.py [--steps N] [--warmup M] [--threads T] [--stock] [--distinct]

A batch has 1,024 pairs: 512 users, each once with a positive and once with a negative item. Text vectors stay on the
host and are gathered by item id in every step.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

import timing

GROUP, CASE = "two_tower_step", "1024 pairs"
N_USERS, N_ITEMS, N_CATEGORIES, N_BRANDS = 93_543, 159_279, 1, 1
EMBEDDING_DIM, TEXT_DIM, BATCH_USERS = 128, 768, 512


def tower(width):
    """`width` -> 256 -> 128 -> 128, ReLU and dropout after each hidden layer."""
    return nn.Sequential(
        nn.Linear(width, 256), nn.ReLU(), nn.Dropout(0.1),
        nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.1),
        nn.Linear(128, 128),
    )  # fmt: skip


class TwoTower(nn.Module):
    """Cosine of a user tower over an id and an item tower over id, category, brand and text."""

    def __init__(self, text, sparse):
        super().__init__()
        self.users = nn.Embedding(N_USERS, EMBEDDING_DIM, sparse=sparse)
        self.items = nn.Embedding(N_ITEMS, EMBEDDING_DIM, sparse=sparse)
        # Their gradient has one row; a dense step over it is faster than a sparse one.
        self.categories = nn.Embedding(N_CATEGORIES, EMBEDDING_DIM)
        self.brands = nn.Embedding(N_BRANDS, EMBEDDING_DIM)
        self.text_layer = nn.Linear(TEXT_DIM, EMBEDDING_DIM)
        self.user_tower = tower(EMBEDDING_DIM)
        self.item_tower = tower(4 * EMBEDDING_DIM)
        self.text = text
        self.category_of = torch.zeros(N_ITEMS, dtype=torch.long)
        self.brand_of = torch.zeros(N_ITEMS, dtype=torch.long)

    def user_vectors(self, user_ids):
        """`[batch]` -> `[batch, 128]`, of length 1."""
        return F.normalize(self.user_tower(self.users(user_ids)))

    def item_vectors(self, item_ids):
        """`[batch]` -> `[batch, 128]`, of length 1."""
        parts = [
            self.items(item_ids),
            self.categories(self.category_of[item_ids]),
            self.brands(self.brand_of[item_ids]),
            self.text_layer(self.text[item_ids]),
        ]
        return F.normalize(self.item_tower(torch.cat(parts, 1)))

    def forward(self, user_ids, item_ids):
        """Cosine of each pair."""
        return (self.user_vectors(user_ids) * self.item_vectors(item_ids)).sum(1)


def draw_batch(distinct):
    """User ids, item ids and labels; with `distinct`, each user stands once for its two pairs."""
    users = torch.randint(N_USERS, (BATCH_USERS,))
    items = torch.randint(N_ITEMS, (2 * BATCH_USERS,))
    labels = torch.cat([torch.ones(BATCH_USERS), torch.zeros(BATCH_USERS)])
    return (users if distinct else users.repeat(2)), items, labels


def times(options, text, sparse):
    """Milliseconds of each step."""
    model = TwoTower(text, sparse)
    tables = [model.users.weight, model.items.weight] if sparse else []
    layers = [p for p in model.parameters() if all(p is not table for table in tables)]
    optimizers = [timing.dense_adam(options, layers)] + ([timing.sparse_adam(tables)] if sparse else [])

    def step(users, items, labels):
        if options.distinct:
            logits = (model.user_vectors(users).repeat(2, 1) * model.item_vectors(items)).sum(1)
        else:
            logits = model(users, items)
        timing.train_step(optimizers, F.binary_cross_entropy_with_logits(logits, labels))

    batches = [draw_batch(options.distinct) for _ in range(options.warmup + options.steps)]
    return timing.measure(step, batches, options.warmup)


def main():
    parser = timing.parser(__doc__.splitlines()[0])
    parser.add_argument("--distinct", action="store_true", help="let a user pass its tower once for its two pairs")
    options = parser.parse_args()
    timing.set_up(options)
    text = torch.randn(N_ITEMS, TEXT_DIM)
    case = CASE + (", distinct users" if options.distinct else "")
    timing.report(options, GROUP, case, timing.DENSE, ms=times(options, text, sparse=False))
    timing.report(options, GROUP, case, timing.SPARSE, ms=times(options, text, sparse=True))


if __name__ == "__main__":
    main()
