"""Implicit ALS of the package implicit: times of single iterations, and quality on parts that ours has written.

    cargo run --release -p cresset-baselines --example als_iterations -- implicit_als --make
    python benches/peers/implicit_als.py implicit_als --folder target/peers --threads 2

prints the times as JSON lines, in the form of timing.py, for the group "implicit_als", and

    cargo run --release -p cresset-baselines --example reproduce -- als --write target/peers/als
    python benches/peers/implicit_als.py quality --folder target/peers/als --l2 10 --alpha 1

recall and NDCG at 10 on the test part, once for each of five seeds, with the same confidence of 1 + alpha.
"""

import argparse
import json
import os
import time
from pathlib import Path

DIMS = 64, 128
ITERATIONS = 15
N_USERS, N_ITEMS = 6040, 3706
CUT_OFF = 10


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("what", choices=["implicit_als", "quality"])
    options.add_argument("--implementation", choices=["implicit"], default="implicit")
    options.add_argument("--folder", type=Path, required=True, help="where our files lie")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--alpha", type=float, default=1.0)
    options.add_argument("--l2", type=float, default=10.0)
    options = options.parse_args()
    # The package runs its own threads; those of BLAS beneath them would only be in the way, as it warns itself.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ["MKL_NUM_THREADS"] = "1"
    measure(options) if options.what == "implicit_als" else judge(options)


def pairs(file):
    import numpy as np

    return np.fromfile(file, dtype="<u4").reshape(-1, 2).astype("int32")


def matrix(rows, value, shape):
    import numpy as np
    from scipy.sparse import csr_matrix

    return csr_matrix((np.full(len(rows), value, "float32"), (rows[:, 0], rows[:, 1])), shape=shape)


def fitted(users_items, options, dim, seed, callback=None):
    from implicit.als import AlternatingLeastSquares

    # The values are the whole confidence: alpha, which would multiply them, is left at 1.
    model = AlternatingLeastSquares(
        factors=dim,
        regularization=options.l2,
        alpha=1.0,
        iterations=ITERATIONS,
        num_threads=options.threads,
        use_gpu=False,
        random_state=seed,
    )
    model.fit(users_items, show_progress=False, callback=callback)
    return model


def measure(options):
    rows = pairs(options.folder / "implicit_als" / "pairs.u32")
    users_items = matrix(rows, 1 + options.alpha, (N_USERS, N_ITEMS))
    for dim in DIMS:
        ends = []
        fitted(users_items, options, dim, 42, lambda *_: ends.append(time.perf_counter()))
        ms = [(end - begin) * 1e3 for begin, end in zip(ends, ends[1:])]
        case = f"an iteration, {dim} factors"
        print(json.dumps({"group": "implicit_als", "case": case, "implementation": "implicit", "ms": ms}))


def judge(options):
    import numpy as np

    train, before, test = (pairs(options.folder / f"{name}.u32") for name in ("train", "before", "test"))
    shape = tuple(np.concatenate([before, test]).max(axis=0) + 1)
    users_items, seen = (matrix(rows, 1 + options.alpha, shape) for rows in (train, before))
    relevant = [set() for _ in range(shape[0])]
    for user, item in test:
        relevant[user].add(item)
    users = np.array([user for user in range(shape[0]) if relevant[user]], dtype="int32")
    discount = 1 / np.log2(np.arange(CUT_OFF) + 2)
    for seed in range(5):
        model = fitted(users_items, options, DIMS[0], seed)
        lists, _ = model.recommend(users, seen[users], N=CUT_OFF)
        recall, ndcg = [], []
        for user, items in zip(users, lists):
            hits = np.array([item in relevant[user] for item in items])
            recall.append(hits.sum() / len(relevant[user]))
            ndcg.append((discount * hits).sum() / discount[: min(CUT_OFF, len(relevant[user]))].sum())
        print(f"seed {seed}: recall@10 {np.mean(recall):.4f}  ndcg@10 {np.mean(ndcg):.4f}")


if __name__ == "__main__":
    main()
