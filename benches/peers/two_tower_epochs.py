"""PyTorch: epochs of the reference's two-tower model on a two-tower folder, and what it retrieves.

    python benches/peers/two_tower_epochs.py --folder DIR [--epochs N] [--sparse] [--threads T] [--stock]

The folder is one that `prepare` wrote, with text vectors as `.npy`. A batch has 512 positives, each beside a negative that
its user has not bought; each user passes its tower once for both. Prints a JSON line with the seconds of each epoch
(drawing negatives and making batches included) and recall@10 and NDCG@10 of the test part: users with training rows, full
catalogue, what they have in training and validation left out.
"""

import json
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
import torch.nn.functional as F

import timing
from two_tower_step import TwoTower

GROUP, CASE, BATCH = "two_tower_epochs", "amazon", 512


def load(folder):
    """Users, items, their training, validation and test rows, and text vectors by item."""
    table = pq.read_table(folder / "interactions_mapped.parquet", columns=["user_id", "item_id"])
    users, items = (table.column(name).to_numpy() for name in ("user_id", "item_id"))
    splits = json.loads((folder / "splits.json").read_text())
    parts = [np.asarray(splits[name]) for name in ("train", "valid", "test")]
    (file,) = folder.glob("items_text_emb_*.npy")
    return users.astype(np.int64), items.astype(np.int64), parts, np.load(file).astype(np.float32)


def negatives(rng, users, owned, n_items):
    """For each user an item that is not among theirs in training."""
    drawn = rng.integers(n_items, size=len(users))
    while True:
        taken = np.isin(users * n_items + drawn, owned)
        if not taken.any():
            return drawn
        drawn[taken] = rng.integers(n_items, size=taken.sum())


def train_epoch(model, optimizers, rng, users, items, owned):
    n_items = model.items.num_embeddings
    order = rng.permutation(len(users))
    users, items = users[order], items[order]
    others = negatives(rng, users, owned, n_items)
    for start in range(0, len(users), BATCH):
        own = slice(start, start + BATCH)
        batch_users = torch.from_numpy(users[own])
        batch_items = torch.from_numpy(np.concatenate([items[own], others[own]]))
        n = len(batch_users)
        labels = torch.cat([torch.ones(n), torch.zeros(n)])
        logits = (model.user_vectors(batch_users).repeat(2, 1) * model.item_vectors(batch_items)).sum(1)
        timing.train_step(optimizers, F.binary_cross_entropy_with_logits(logits, labels))


@torch.no_grad()
def quality(model, users, items, parts, k=10):
    """Recall@k and NDCG@k over users with training rows, of the full catalogue without what is seen."""
    model.eval()
    train, valid, test = parts
    n_items = model.items.num_embeddings
    vectors = torch.cat([model.item_vectors(torch.arange(s, min(s + 8192, n_items))) for s in range(0, n_items, 8192)])
    seen, relevant = {}, {}
    for row in np.concatenate([train, valid]):
        seen.setdefault(users[row], set()).add(items[row])
    for row in test:
        relevant.setdefault(users[row], set()).add(items[row])
    known = set(users[train])
    relevant = {u: kept for u, its in relevant.items() if u in known and (kept := its - seen.get(u, set()))}
    asked, recall, ndcg = sorted(relevant), 0.0, 0.0
    for start in range(0, len(asked), 256):
        block = asked[start : start + 256]
        scores = model.user_vectors(torch.tensor(block)) @ vectors.T
        for row, user in enumerate(block):
            scores[row, list(seen[user])] = -torch.inf
        for user, top in zip(block, scores.topk(k).indices.tolist()):
            hits = [rank for rank, item in enumerate(top) if item in relevant[user]]
            recall += len(hits) / len(relevant[user])
            ideal = sum(1 / np.log2(r + 2) for r in range(min(k, len(relevant[user]))))
            ndcg += sum(1 / np.log2(r + 2) for r in hits) / ideal
    return recall / len(asked), ndcg / len(asked), len(asked)


def main():
    parser = timing.parser(__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--sparse", action="store_true", help="SparseAdam for the tables")
    options = parser.parse_args()
    timing.set_up(options)
    started = time.perf_counter()
    users, items, parts, text = load(options.folder)
    loading = time.perf_counter() - started
    model = TwoTower(torch.from_numpy(text), options.sparse)
    torch.nn.init.normal_(model.users.weight, std=0.05)
    torch.nn.init.normal_(model.items.weight, std=0.05)
    tables = [model.users.weight, model.items.weight] if options.sparse else []
    layers = [p for p in model.parameters() if all(p is not table for table in tables)]
    optimizers = [timing.dense_adam(options, layers)] + ([timing.sparse_adam(tables)] if options.sparse else [])
    rng = np.random.default_rng(options.seed)
    train = parts[0]
    owned = np.unique(users[train] * text.shape[0] + items[train])
    seconds = []
    for _ in range(options.epochs):
        started = time.perf_counter()
        train_epoch(model, optimizers, rng, users[train], items[train], owned)
        seconds.append(round(time.perf_counter() - started, 3))
    recall, ndcg, n_users = quality(model, users, items, parts)
    implementation = timing.SPARSE if options.sparse else timing.DENSE
    print(json.dumps({
        "group": GROUP, "case": CASE, "implementation": implementation, "seconds": seconds,
        "loading": round(loading, 2), "recall@10": recall, "ndcg@10": ndcg, "users": n_users,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
