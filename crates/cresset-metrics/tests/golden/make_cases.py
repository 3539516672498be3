"""Writes the cases beside this file: inputs, and what scikit-learn, ranx, pytrec_eval and SciPy make of them.

    python3 -m venv .venv
    .venv/bin/pip install numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1 ranx==0.3.21 pytrec_eval-terrier==0.5.11
    .venv/bin/python crates/cresset-metrics/tests/golden/make_cases.py

Scores and ratings are multiples of powers of two, so that f32 and f64 hold the same numbers. Where a peer defines a
metric otherwise than Cresset, its values stand under the name of the variant that has its definition.
"""

import json
from pathlib import Path

import numpy as np
import pytrec_eval
import ranx
from scipy import stats
from sklearn import metrics as sk

FOLDER = Path(__file__).parent
KS = [1, 3, 5, 10]
# What ranx calls each metric; its map divides by all relevant items, ours by those that fit into the list.
RANX = {"hit_rate": "hit_rate", "precision": "precision", "recall": "recall", "f1": "f1", "ndcg": "ndcg", "mrr": "mrr"}
RANX |= {"map_by_relevant": "map"}
TREC = {"precision": "P", "recall": "recall", "ndcg": "ndcg_cut", "map_by_relevant": "map_cut"}


def write(name, cases):
    """One case a line."""
    lines = ",\n".join(json.dumps(case) for case in cases)
    (FOLDER / f"{name}.json").write_text(f"[\n{lines}\n]\n")


def rating_case(name, targets, predictions):
    """scikit-learn's regression metrics; ours divide by |target| + 1e-8, so its MAPE is asked about both moved by that."""
    targets, predictions = np.array(targets, float), np.array(predictions, float)
    shift = np.copysign(1e-8, targets)
    expected = {
        "mse": sk.mean_squared_error(targets, predictions),
        "rmse": sk.root_mean_squared_error(targets, predictions),
        "mae": sk.mean_absolute_error(targets, predictions),
        "mape": 100 * sk.mean_absolute_percentage_error(targets + shift, predictions + shift),
    }
    if len(set(targets)) > 1:
        expected["r2"] = sk.r2_score(targets, predictions)
    return {"name": name, "targets": list(targets), "predictions": list(predictions), "expected": expected}


def ratings(rng):
    stars = rng.integers(1, 11, 60) / 2
    near = stars + rng.integers(-64, 65, 60) / 64
    yield rating_case("four pairs by hand", [3, 5, 1, 3], [4, 3, 1, 3])
    yield rating_case("one pair", [4], [3.5])
    yield rating_case("equal targets", [2, 2, 2], [1, 2, 4])
    yield rating_case("a perfect prediction", [1, 2, 5], [1, 2, 5])
    yield rating_case("half stars", stars, near)
    yield rating_case("worse than the mean", stars, stars[::-1])


def list_case(name, users):
    """What ranx and pytrec_eval give each user; `users` are pairs of a ranked list and relevant items."""
    names = [f"u{user:03}" for user in range(len(users))]
    qrels = {user: {f"i{item}": 1 for item in relevant} for user, (_, relevant) in zip(names, users)}
    run = {
        user: {f"i{item}": float(len(ranked) - place) for place, item in enumerate(ranked)}
        for user, (ranked, _) in zip(names, users)
    }
    ranx_keys = {f"{ours}@{k}": f"{theirs}@{k}" for ours, theirs in RANX.items() for k in KS}
    scores = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), list(ranx_keys.values()), return_mean=False)
    by_ranx = {ours: list(map(float, scores[theirs])) for ours, theirs in ranx_keys.items()}
    measures = {f"{theirs}.{','.join(map(str, KS))}" for theirs in TREC.values()} | {"recip_rank"}
    results = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    of = lambda measure: [results[user][measure] for user in names]
    by_trec = {f"{ours}@{k}": of(f"{theirs}_{k}") for ours, theirs in TREC.items() for k in KS}
    # Without a cut-off: one beyond the longest list is as good.
    by_trec["mrr@1000"] = of("recip_rank")
    ranked, relevant = zip(*users)
    return {"name": name, "ranked": ranked, "relevant": relevant, "ranx": by_ranx, "pytrec_eval": by_trec}


def lists(rng):
    def user(n_items, length, n_relevant):
        ranked = rng.permutation(n_items)[:length].tolist()
        return ranked, sorted(rng.permutation(n_items)[:n_relevant].tolist())

    yield list_case("one relevant item at rank 3, and none found", [([8, 9, 4], [4]), ([1, 2, 3], [4])])
    yield list_case("all relevant items on top", [([5, 6, 7, 1, 2], [5, 6, 7]), ([3, 1], [1, 3])])
    yield list_case("lists shorter than k", [user(9, length, 3) for length in [1, 2, 4, 7]])
    yield list_case("more relevant items than k", [user(20, 12, n_relevant) for n_relevant in [4, 6, 11, 15]])
    yield list_case("many users", [user(30, 10, n_relevant) for n_relevant in [1, 1, 2, 2, 3, 3, 5, 8]])


def catalogue_case(name, scores, relevant):
    """scikit-learn's NDCG, averaged over ties, and area under the curve of each user."""
    scores = np.array(scores, float)
    labels = np.zeros_like(scores, dtype=int)
    for user, items in enumerate(relevant):
        labels[user, items] = 1
    ndcg = lambda user, k: sk.ndcg_score(labels[[user]], scores[[user]], k=k, ignore_ties=False)
    users = range(len(scores))
    expected = {f"ndcg@{k}": [float(ndcg(user, k)) for user in users] for k in KS}
    expected["auc"] = [float(sk.roc_auc_score(labels[user], scores[user])) for user in users]
    gauc = float(np.average(expected["auc"], weights=labels.sum(axis=1)))
    return {"name": name, "scores": scores.tolist(), "relevant": relevant, "expected": expected, "gauc": gauc}


def catalogues(rng):
    def drawn(n_values, counts, n_items=16):
        scores = rng.integers(0, n_values, (len(counts), n_items)) / 8
        return scores, [sorted(rng.permutation(n_items)[:count].tolist()) for count in counts]

    yield catalogue_case("items 0 and 1 tie behind item 2", [[0.5, 0.5, 0.875, 0.125]], [[1, 2]])
    yield catalogue_case("a constant scorer", [[0.25] * 8] * 2, [[3], [0, 4, 5]])
    yield catalogue_case("all scores differ", [rng.permutation(12) / 4 for _ in range(3)], [[0], [3, 7], [1, 2, 5, 9]])
    yield catalogue_case("two values", *drawn(2, [1, 2, 5, 12]))
    yield catalogue_case("four values", *drawn(4, [1, 3, 6, 15]))
    yield catalogue_case("nine values", *drawn(9, [1, 2, 4, 8]))


def permutation_case(name, differences):
    """The exact p-value of the mean difference over all sign patterns."""
    test = stats.permutation_test(
        (np.array(differences, float),), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    return {"name": name, "differences": list(differences), "p_value": float(test.pvalue)}


def permutations(rng):
    yield permutation_case("everyone gains", [1, 2, 3])
    yield permutation_case("one loses", [-1, 2, 3])
    yield permutation_case("ties and zeros", [0, 1, 1, -1, 2, 0, -2, 3, 1])
    for n_users in [6, 9, 12]:
        yield permutation_case(f"{n_users} users", (rng.integers(-20, 30, n_users) / 32).tolist())


def bootstrap_case(name, values, level):
    """SciPy's percentile interval of the mean, from so many resamples that its own chance is small."""
    interval = stats.bootstrap(
        (np.array(values, float),), np.mean, confidence_level=level, n_resamples=200_000, method="percentile", rng=1, batch=5_000
    ).confidence_interval
    spread = float(np.std(values) / np.sqrt(len(values)))
    case = {"name": name, "level": level, "values": list(values), "standard_error": spread}
    return case | {"low": float(interval.low), "high": float(interval.high)}


def bootstraps(rng):
    yield bootstrap_case("hits of 40 users", (rng.random(40) < 0.3).astype(float).tolist(), 0.95)
    yield bootstrap_case("skewed values of 60 users", (rng.integers(0, 16, 60) ** 2 / 256).tolist(), 0.95)
    yield bootstrap_case("the same at 80%", (rng.integers(0, 16, 60) ** 2 / 256).tolist(), 0.8)


def main():
    rng = np.random.default_rng(20261121)
    for cases in [ratings, lists, catalogues, permutations, bootstraps]:
        write(cases.__name__, cases(rng))


if __name__ == "__main__":
    main()
