"""Exact search of a catalogue by inner product: torch.topk and faiss IndexFlatIP.

    python benches/peers/search.py one_query [--steps N] [--warmup M] [--threads T]
    python benches/peers/search.py many_queries

The best 100 of 159,279 items of width 128, for one query a step or for 1,000. The vectors are those of
`crates/cresset-search/examples/search_times.rs`, made by the same formulas: "random" in any direction, "clustered" near one
another as those of a trained model. They are whole numbers of length 1,000, so that scores are exact in any order of
summation, and the sum of the scores that were found is printed beside the times: it must be the same, too.
"""

import time

import faiss
import numpy as np
import torch

import timing

ITEMS, QUERIES, DIM, K, CLUSTERS, RANK, LENGTH = 159_279, 1_000, 128, 100, 1_000, 16, 1_000.0


def hashed(words):
    """A 32-bit mixture of each word."""
    words = np.array(words, dtype=np.uint32)
    for shift, factor in [(16, 0x7FEB352D), (15, 0x846CA68B)]:
        words ^= words >> np.uint32(shift)
        words *= np.uint32(factor)
    return words ^ (words >> np.uint32(16))


def bells(rows, stream):
    """Rows of whole numbers that look normally distributed: each the sum of four bytes, less their mean."""
    seeds = hashed(np.asarray(rows, dtype=np.uint32) ^ hashed([stream]))
    words = hashed(seeds[:, None] + np.arange(DIM, dtype=np.uint32))
    return words.view(np.uint8).reshape(len(seeds), DIM, 4).sum(2, dtype=np.int64).astype(np.float64) - 510.0


def random_vectors(rows, stream):
    """Vectors in any direction."""
    return with_length(bells(rows, stream))


def clustered_vectors(rows, stream):
    """Vectors near one another: a cluster and a deviation from it in few dimensions, and a fifth in any direction."""
    clusters = hashed(np.asarray(rows, dtype=np.uint32) ^ hashed([stream + 100])) % np.uint32(CLUSTERS)
    places = (3.0 * bells(clusters, 10) + bells(rows, stream))[:, :RANK]
    return with_length(places @ bells(range(RANK), 9) + 400.0 * bells(rows, stream + 200))


def with_length(vectors):
    """Rows of one length, rounded; the squares are added in the order of the other side."""
    squares = np.zeros(len(vectors))
    for column in range(vectors.shape[1]):
        squares += vectors[:, column] ** 2
    return np.rint(vectors * LENGTH / np.sqrt(squares)[:, None]).astype(np.float32)


def table(make, count, stream):
    """`count` vectors, made in parts."""
    parts = np.array_split(np.arange(count, dtype=np.uint32), max(1, count // 10_000))
    return np.concatenate([make(part, stream) for part in parts])


def searches(items, threads):
    """How each implementation searches: a function from queries to the scores found."""
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatIP(DIM)
    index.add(items)
    columns = torch.from_numpy(items).T
    return {
        "torch": lambda queries: torch.topk(torch.from_numpy(queries) @ columns, K, 1).values.numpy(),
        "faiss": lambda queries: index.search(queries, K)[0],
    }


def measure(options, case, items, batches):
    """Times both implementations, step by step in alternation."""
    implementations = searches(items, options.threads)
    times = {name: [] for name in implementations}
    sums = {}
    for step in range(options.warmup + options.steps):
        queries = batches[step % len(batches)]
        for name, search in implementations.items():
            started = time.perf_counter_ns()
            scores = search(queries)
            times[name].append((time.perf_counter_ns() - started) / 1e6)
            sums[name] = float(scores.sum(dtype=np.float64))
    for name in implementations:
        values = {"sum of scores": sums[name]}
        timing.report(options, options.group, case, name, ms=times[name][options.warmup :], values=values)


def main():
    groups = {"one_query": 1, "many_queries": QUERIES}
    parser = timing.parser(__doc__.splitlines()[0], steps=10, warmup=2)
    parser.add_argument("group", choices=groups)
    options = parser.parse_args()
    timing.set_up(options)
    for name, make in [("random", random_vectors), ("clustered", clustered_vectors)]:
        batches = table(make, QUERIES, 2).reshape(-1, groups[options.group], DIM)
        measure(options, f"{ITEMS}x{DIM} {name}", table(make, ITEMS, 1), batches)


if __name__ == "__main__":
    main()
