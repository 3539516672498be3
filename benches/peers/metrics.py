"""Ranking metrics of ready arrays: ranx on given lists, PyTorch on score blocks.

    python benches/peers/metrics.py given_lists [--steps N] [--warmup M] [--threads T]
    python benches/peers/metrics.py score_blocks

Groups: "given_lists" has 6,040 lists of 100 items; ranx evaluates ready `Qrels` and `Run`, after a warm-up that compiles it.
"score_blocks" has the scores of 6,040 x 3,706 users and items; `torch.topk`, and a gather from a ready table of what is
relevant, as most evaluation loops have it. The inputs are those of `crates/cresset-metrics/examples/metric_times.rs`, made
by the same formulas, and the values of the metrics are printed beside the times: they must be the same, too.
"""

import numpy as np

import timing

USERS, ITEMS, LISTED, KS = 6_040, 3_706, 100, [10, 100]


def hashed(words):
    """A 32-bit mixture of each word."""
    words = np.asarray(words, dtype=np.uint32).copy()
    for shift, factor in [(16, 0x7FEB352D), (15, 0x846CA68B)]:
        words ^= words >> np.uint32(shift)
        words *= np.uint32(factor)
    return words ^ (words >> np.uint32(16))


def relevant_items(user):
    """10 to 30 items, 20 on average."""
    count = 10 + int(hashed([user + 1_000_000])[0]) % 21
    start = int(hashed([user + 2_000_000])[0]) % ITEMS
    return sorted((start + 181 * place) % ITEMS for place in range(count))


def listed_items(user):
    """A list of different items, best first."""
    start = int(hashed([user + 3_000_000])[0]) % ITEMS
    return [(start + 37 * place) % ITEMS for place in range(LISTED)]


def score_table(relevant):
    """`[users, items]`: no two scores of a user are equal, and relevant items have two chances of a good one."""
    items = np.arange(ITEMS, dtype=np.uint32)
    scores = np.empty((USERS, ITEMS), dtype=np.float32)
    for user in range(USERS):
        words = hashed([user])[0] + items
        levels = hashed(words) >> np.uint32(20)
        chosen = relevant[user]
        levels[chosen] = np.maximum(levels[chosen], hashed(words[chosen] ^ np.uint32(0x5BD1E995)) >> np.uint32(20))
        scores[user] = (levels << np.uint32(12) | items) * np.float32(2**-24)
    return scores


def with_ranx(options):
    """Ten metrics of ready lists."""
    import ranx

    def by_name(rows, score):
        return {f"u{user}": {f"i{item}": score(place) for place, item in enumerate(row)} for user, row in enumerate(rows)}

    qrels = ranx.Qrels(by_name(map(relevant_items, range(USERS)), lambda place: 1))
    run = ranx.Run(by_name(map(listed_items, range(USERS)), lambda place: float(LISTED - place)))
    names = {"ndcg": "ndcg", "map_by_relevant": "map", "mrr": "mrr", "recall": "recall", "precision": "precision"}
    keys = {f"{ours}@{k}": f"{theirs}@{k}" for ours, theirs in names.items() for k in KS}

    # `evaluate` brings its own types into arrays each time; arrays made before the clock starts are its fastest way.
    ways = {"ranx": (qrels, run), "ranx, ready arrays": (qrels.to_typed_list(), run.to_typed_list())}
    for name, arguments in ways.items():
        evaluate = lambda: ranx.evaluate(
            *arguments, list(keys.values()), threads=options.threads, save_results_in_run=False
        )
        found = evaluate()
        values = {ours: float(found[theirs]) for ours, theirs in keys.items()}
        times = timing.measure(evaluate, [()] * (options.warmup + options.steps), options.warmup)
        timing.report(options, "given_lists", f"{USERS}x{LISTED}", name, ms=times, values=values)


def with_torch(options):
    """Hit rate, recall and NDCG by the top 100 of ready scores."""
    import torch

    relevant = [relevant_items(user) for user in range(USERS)]
    scores = torch.from_numpy(score_table(relevant))
    is_relevant = torch.zeros(USERS, ITEMS, dtype=torch.bool)
    for user, items in enumerate(relevant):
        is_relevant[user, items] = True
    n_relevant = torch.tensor([len(items) for items in relevant])
    discounts = 1 / torch.log2(torch.arange(2, max(KS) + 2, dtype=torch.float64))
    ideal = torch.cumsum(discounts, 0)

    def evaluate():
        hits = is_relevant.gather(1, torch.topk(scores, max(KS)).indices).double()
        gains = hits * discounts
        values = {}
        for k in KS:
            n_hits = hits[:, :k].sum(1)
            values[f"hit_rate@{k}"] = (n_hits > 0).double().mean()
            values[f"recall@{k}"] = (n_hits / n_relevant).mean()
            values[f"ndcg@{k}"] = (gains[:, :k].sum(1) / ideal[n_relevant.clamp(max=k) - 1]).mean()
        return {key: float(value) for key, value in values.items()}

    values = evaluate()
    times = timing.measure(evaluate, [()] * (options.warmup + options.steps), options.warmup)
    timing.report(options, "score_blocks", f"{USERS}x{ITEMS}", timing.PLAIN, ms=times, values=values)


def main():
    groups = {"given_lists": with_ranx, "score_blocks": with_torch}
    parser = timing.parser(__doc__.splitlines()[0], steps=10, warmup=3)
    parser.add_argument("group", choices=groups)
    options = parser.parse_args()
    timing.set_up(options)
    groups[options.group](options)


if __name__ == "__main__":
    main()
