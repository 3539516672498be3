"""Prints losses and their gradients as PyTorch computes them: the numbers in it/losses.rs.

    python tests/golden/losses.py     # made with torch==2.9.0, CPU, float64

Each line holds the loss, then for every input with a gradient the sum of that gradient times `wave`, so that three numbers
tell any two gradients apart.
"""

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
TEMPERATURE, BETA = 0.5, 0.25
WEIGHTS = torch.tensor([1.0, 0.0, 2.0, 0.5])


def wave(shape, phase):
    """sin(0.7 i + phase) for element i."""
    count = torch.tensor(shape).prod()
    return torch.sin(0.7 * torch.arange(count) + phase).reshape(shape)


def rows(n, phase):
    return wave((n, 3), phase).requires_grad_()


def show(name, loss, *inputs):
    grads = torch.autograd.grad(loss, inputs, retain_graph=True)
    prints = [(grad * wave(grad.shape, 9.0 + at)).sum() for at, grad in enumerate(grads)]
    print(f"{name}: [{', '.join(f'{float(value):.7g}' for value in [loss.detach(), *prints])}]")


def weighted(terms):
    return (terms * WEIGHTS).sum() / WEIGHTS.sum()


def scores_alone():
    logits = (3 * wave((4,), 1.0)).requires_grad_()
    others = (3 * wave((4,), 2.0)).requires_grad_()
    labels = torch.tensor([1.0, 0.0, 0.25, 1.0])
    show("mse", F.mse_loss(logits, labels), logits)
    show("bce", F.binary_cross_entropy_with_logits(logits, labels), logits)
    terms = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    show("bce, weighted", weighted(terms), logits)
    show("bpr", -F.logsigmoid(logits - others).mean(), logits, others)


def in_batch():
    a, b = rows(4, 1.0), rows(4, 2.0)
    diagonal = torch.arange(4)
    forth, back = (F.cross_entropy(s / TEMPERATURE, diagonal) for s in (a @ b.T, b @ a.T))
    show("info_nce", forth, a, b)
    show("info_nce, both ways", (forth + back) / 2, a, b)
    log_q, ids = -1 - wave((4,), 3.0).abs(), torch.tensor([7, 3, 7, 5])
    scores = a @ b.T / TEMPERATURE - log_q
    hits = (ids[:, None] == ids) & ~torch.eye(4, dtype=torch.bool)
    show("in_batch_softmax", F.cross_entropy(scores.masked_fill(hits, -torch.inf), diagonal), a, b)


def catalogue():
    hidden, items = rows(4, 1.0), rows(5, 2.0)
    terms = F.cross_entropy(hidden @ items.T, torch.tensor([4, 0, 2, 2]), reduction="none")
    show("catalogue_cross_entropy", weighted(terms), hidden, items)


def shared_negatives():
    hidden, positives, negatives = rows(4, 1.0), rows(4, 2.0), rows(3, 3.0)
    positive_log_q, negative_log_q = -1 - wave((4,), 4.0).abs(), -1 - wave((3,), 5.0).abs()
    positive_ids, negative_ids = torch.tensor([1, 2, 3, 4]), torch.tensor([2, 9, 4])
    positive = (hidden * positives).sum(1) - positive_log_q
    hits = positive_ids[:, None] == negative_ids
    negative = (hidden @ negatives.T - negative_log_q).masked_fill(hits, -torch.inf)
    scores = torch.cat([positive[:, None], negative], 1)
    terms = F.cross_entropy(scores, torch.zeros(4, dtype=torch.long), reduction="none")
    show("sampled_softmax", weighted(terms), hidden, positives, negatives)


def own_negatives():
    hidden, items = rows(4, 1.0), rows(6, 2.0)
    positives = torch.tensor([5, 0, 2, 2])
    negatives = torch.tensor([[0, 1], [0, 3], [4, 1], [5, 5]])  # the first of query 1 is its positive
    log_q = -1 - wave((6,), 4.0).abs()
    is_negative = negatives != positives[:, None]
    n = is_negative.sum(1)
    s = hidden @ items.T
    positive, negative = s.gather(1, positives[:, None]), s.gather(1, negatives)

    corrected = (negative - log_q[negatives]).masked_fill(~is_negative, -torch.inf)
    all_scores = torch.cat([positive - log_q[positives][:, None], corrected], 1)
    terms = F.cross_entropy(all_scores, torch.zeros(4, dtype=torch.long), reduction="none")
    show("sampled_softmax_drawn", terms.mean(), hidden, items)

    behind = (F.logsigmoid(-negative) * is_negative).sum(1)
    show("gbce", -weighted((BETA * F.logsigmoid(positive[:, 0]) + behind) / (n + 1)), hidden, items)
    terms = -(F.logsigmoid(positive - negative) * is_negative).sum(1) / n
    show("bpr_drawn", weighted(terms), hidden, items)


scores_alone()
in_batch()
catalogue()
shared_negatives()
own_negatives()
