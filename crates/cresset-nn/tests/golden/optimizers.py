"""Prints what PyTorch's optimisers make of a small table and a small layer: the numbers in it/golden.rs.

    python tests/golden/optimizers.py     # made with torch==2.9.0, CPU, float32

Each table has 4 rows of 2, trained on STEPS by the mean over the batch of the squared distance of its rows to their targets;
row 3 is never touched. The layer maps 2 values to 2.
"""

import torch

TABLE = [[0.5, -0.25], [1.0, 0.75], [-1.5, 2.0], [0.125, -2.0]]
# Ids of each batch, with repeats, and a target for both values of each.
STEPS = [
    ([0, 1, 0], [1.0, -1.0, 0.5]),
    ([2], [0.25]),
    ([1, 1, 0, 2], [2.0, 0.0, -1.0, 1.0]),
    ([2, 0], [-0.5, 0.5]),
    ([1, 1, 1], [1.0, 1.5, -0.5]),
]
WEIGHT = [[0.5, -1.0], [0.25, 0.75]]
BIAS = [0.1, -0.2]
INPUT = [[1.0, 2.0], [-1.0, 0.5], [0.5, -1.5]]
TARGET = [[1.0, -1.0], [0.0, 2.0], [-0.5, 0.5]]


def rows(make):
    table = torch.nn.Embedding(4, 2, sparse=True)
    table.weight.data = torch.tensor(TABLE)
    optimizer = make(table.parameters())
    for ids, targets in STEPS:
        optimizer.zero_grad()
        distance = table(torch.tensor(ids)) - torch.tensor(targets)[:, None]
        (distance * distance).sum(1).mean().backward()
        optimizer.step()
    return table.weight.data.flatten().tolist()


def layer(make, still=lambda step: None):
    """`make` is given weight and bias, and `still` names the one of them, by place, that a step leaves alone."""
    weight = torch.nn.Parameter(torch.tensor(WEIGHT))
    bias = torch.nn.Parameter(torch.tensor(BIAS))
    optimizer = make([weight, bias])
    for step in range(5):
        optimizer.zero_grad()
        distance = torch.tensor(INPUT) @ weight + bias - torch.tensor(TARGET)
        (distance * distance).sum(1).mean().backward()
        if still(step) is not None:
            [weight, bias][still(step)].grad = None
        optimizer.step()
    return weight.data.flatten().tolist() + bias.data.tolist()


def groups(parameters):
    weight, bias = parameters
    return [{"params": [weight]}, {"params": [bias], "lr": 0.03, "weight_decay": 0.2}]


def turns(step):
    """The bias stands still in steps 0 and 1, the weight in steps 2 and 3."""
    return {0: 1, 1: 1, 2: 0, 3: 0}.get(step)


def show(name, values):
    print(f"{name}: [{', '.join(f'{value:.7g}' for value in values)}]")


o = torch.optim
show("rows sgd", rows(lambda p: o.SGD(p, lr=0.1)))
show("rows adagrad", rows(lambda p: o.Adagrad(p, lr=0.1, eps=1e-8)))
show("rows adam", rows(lambda p: o.SparseAdam(p, lr=0.1)))
show("layer sgd", layer(lambda p: o.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)))
show("layer adagrad", layer(lambda p: o.Adagrad(p, lr=0.1, eps=1e-8, weight_decay=0.01)))
show("layer adam", layer(lambda p: o.Adam(p, lr=0.1, weight_decay=0.01)))
show("layer adamw", layer(lambda p: o.AdamW(p, lr=0.1, weight_decay=0.01)))

MAKERS = {
    "sgd": lambda p: o.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "adagrad": lambda p: o.Adagrad(p, lr=0.1, eps=1e-8, weight_decay=0.01),
    "adam": lambda p: o.Adam(p, lr=0.1, weight_decay=0.01),
    "adamw": lambda p: o.AdamW(p, lr=0.1, weight_decay=0.01),
}
for name, make in MAKERS.items():
    show(f"groups {name}", layer(lambda p: make(groups(p))))
for name, make in MAKERS.items():
    show(f"turns {name}", layer(lambda p: make(groups(p)), turns))
