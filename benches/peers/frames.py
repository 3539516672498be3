"""ratings.csv to Parquet with pandas or Polars: read, clean, index, split in time, write.

The steps are those of `crates/cresset-data/examples/ratings_to_parquet.rs`, which makes the file first. Each case is a process
of its own, so that its peak of memory is its own too; the lines are those of timing.py.
"""

import argparse
import json
import os
import resource
import time
from pathlib import Path


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("group", help='one of "ratings_1m", "ratings_5m", "ratings_20m"')
    options.add_argument("--implementation", choices=["pandas", "polars"], required=True)
    options.add_argument("--folder", type=Path, required=True, help="where the file lies")
    options.add_argument("--threads", type=int, default=2)
    options = options.parse_args()
    os.environ["POLARS_MAX_THREADS"] = str(options.threads)
    source = options.folder / options.group / "ratings.csv"
    target = options.folder / f"{options.group}.{options.implementation}.parquet"
    convert = with_pandas() if options.implementation == "pandas" else with_polars()
    begin = time.perf_counter()
    convert(source, target)
    seconds = time.perf_counter() - begin
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = {"group": options.group, "case": "csv to parquet", "implementation": options.implementation}
    print(json.dumps(line | {"ms": [seconds * 1e3]}))
    print(json.dumps(line | {"case": "peak memory", "mb": peak_kib * 1024 / 1e6}))


def with_pandas():
    import numpy as np
    import pandas as pd

    def convert(source, target):
        rows = pd.read_csv(source).dropna()
        rows = rows[(rows.rating >= 0.5) & (rows.rating <= 5)]
        rows = rows.drop_duplicates(["userId", "movieId"], keep="last")
        rows["user_id"] = pd.factorize(rows.userId, sort=True)[0].astype("uint32")
        rows["item_id"] = pd.factorize(rows.movieId, sort=True)[0].astype("uint32")
        rows["rating"] = rows.rating.astype("float32")
        rows = rows.sort_values(["user_id", "timestamp", "item_id"])
        position = rows.groupby("user_id").cumcount()
        n_rows = rows.groupby("user_id").user_id.transform("size")
        rows["split"] = np.where(position < 0.8 * n_rows, 0, np.where(position < 0.9 * n_rows, 1, 2)).astype("uint8")
        rows[["user_id", "item_id", "rating", "timestamp", "split"]].to_parquet(target, compression="zstd")

    return convert


def with_polars():
    import polars as pl

    def index(column):
        return (pl.col(column).rank("dense") - 1).cast(pl.UInt32)

    def convert(source, target):
        position, n_rows = pl.col("position"), pl.col("n_rows")
        split = pl.when(position < 0.8 * n_rows).then(0).when(position < 0.9 * n_rows).then(1).otherwise(2)
        rows = (
            pl.scan_csv(source)
            .drop_nulls()
            .filter(pl.col("rating").is_between(0.5, 5))
            .unique(["userId", "movieId"], keep="last")
            .with_columns(user_id=index("userId"), item_id=index("movieId"), rating=pl.col("rating").cast(pl.Float32))
            .sort(["user_id", "timestamp", "item_id"])
            .with_columns(position=pl.int_range(pl.len()).over("user_id"), n_rows=pl.len().over("user_id"))
            .with_columns(split=split.cast(pl.UInt8))
            .select("user_id", "item_id", "rating", "timestamp", "split")
        )
        rows.collect().write_parquet(target, compression="zstd")

    return convert


if __name__ == "__main__":
    main()
