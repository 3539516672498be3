"""Surprise's SVD and SVD++ on MovieLens 100K, five random folds: RMSE, MAE and training ratings a second.

    pip install -r benches/peers/requirements-surprise.txt
    python benches/peers/surprise_svd.py DATA_DIR [svdpp]

Surprise trains on all of a fold's training part; it has no validation part.
"""

import sys
import time

import numpy as np
from surprise import SVD, Dataset, Reader, SVDpp, accuracy
from surprise.model_selection import KFold

algorithm = SVDpp if "svdpp" in sys.argv[2:] else SVD
data = Dataset.load_from_file(
    f"{sys.argv[1]}/ml-100k/u.data",
    reader=Reader(line_format="user item rating timestamp", sep="\t"),
)
rmse, mae, rates = [], [], []
for train, test in KFold(n_splits=5, random_state=42).split(data):
    model = algorithm(random_state=42)
    began = time.time()
    model.fit(train)
    rates.append(train.n_ratings * model.n_epochs / (time.time() - began))
    predictions = model.test(test)
    rmse.append(accuracy.rmse(predictions, verbose=False))
    mae.append(accuracy.mae(predictions, verbose=False))
spread = lambda values: f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}"
print(f"{algorithm.__name__}: rmse {spread(rmse)}, mae {spread(mae)}, {np.mean(rates):.0f} ratings/s")
