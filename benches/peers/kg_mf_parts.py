"""PyTorch: kg-mf with all its parts, knowledge graph, tag genome and times, as `crates/cresset-kg-mf` writes it down.

The graph is one of films: one to three genres, a director, two to four actors, three to six tags. What the graph and the
tags say of an item is worked out once in a batch, as in our program.
"""

import torch
import torch.nn as nn

# Entities of each relation, and the fewest and the most of them in a film.
RELATIONS = [(20, 1, 3), (7_000, 1, 1), (20_000, 2, 4), (1_128, 3, 6)]
MOST = max(most for _, _, most in RELATIONS)
N_ENTITIES = sum(n for n, _, _ in RELATIONS)
GRAPH_DIM = 16
# Months, seasons and ages before the days of each user.
N_MOMENTS, DAYS_OF_USER = 32, 12
L2, L2_BIAS, L2_TASTE, L2_ENTITY, L2_TIME = 0.05, 0.01, 0.5, 0.02, 0.3
MEAN = 2.75


def draw_graph(n_items):
    """Entities of each film by relation, `[n_items, relations, MOST]`, and where there is none."""
    entities = torch.zeros(n_items, len(RELATIONS), MOST, dtype=torch.long)
    is_missing = torch.ones(n_items, len(RELATIONS), MOST, dtype=torch.bool)
    first = 0
    for relation, (n, fewest, most) in enumerate(RELATIONS):
        drawn = torch.rand(n_items, MOST) * torch.rand(n_items, MOST).sqrt() * n
        entities[:, relation] = first + drawn.long()
        sizes = torch.randint(fewest, most + 1, (n_items, 1))
        is_missing[:, relation] = torch.arange(MOST) >= sizes
        first += n
    return entities, is_missing


def draw_moments(user_ids):
    """Month, season, age and day of the user, `[batch, 4]`, as rows of one table."""
    n = len(user_ids)
    days = N_MOMENTS + user_ids * DAYS_OF_USER + torch.randint(DAYS_OF_USER, (n,))
    months = torch.randint(12, (n,))
    return torch.stack([months, 12 + months // 3, 16 + torch.randint(16, (n,)), days], 1)


def squared(rows):
    """Mean over the batch of the squared length of each row."""
    return rows.square().sum() / len(rows)


class AllParts(nn.Module):
    """Biases, vectors weighed by tags, attention over the graph, and biases of time."""

    def __init__(self, n_users, n_items, dim, tags, graph, sparse):
        super().__init__()
        table = lambda rows, width: nn.Embedding(rows, width, sparse=sparse)  # noqa: E731
        self.user_bias, self.item_bias = table(n_users, 1), table(n_items, 1)
        self.users, self.items = table(n_users, dim), table(n_items, dim)
        self.tastes, self.entities = table(n_users, GRAPH_DIM), table(N_ENTITIES, GRAPH_DIM)
        self.times = table(N_MOMENTS + n_users * DAYS_OF_USER, 1)
        for rows in self.tables():
            nn.init.normal_(rows, std=0.1)
        self.attention = nn.Sequential(nn.Linear(tags.shape[1], 32), nn.ReLU(), nn.Linear(32, 1))
        self.relation_keys = nn.Linear(GRAPH_DIM, len(RELATIONS))
        self.neighbour_keys = nn.Parameter(0.1 * torch.randn(len(RELATIONS), 1, GRAPH_DIM))
        self.common_taste = nn.Parameter(0.05 * torch.randn(GRAPH_DIM))
        self.fusion = nn.Parameter(0.01 * torch.randn(dim, GRAPH_DIM))
        self.tags = tags
        self.neighbours, self.is_missing = graph

    def tables(self):
        """Weights that have a row for each user, item, entity or moment."""
        kinds = [self.user_bias, self.item_bias, self.users, self.items, self.tastes, self.entities, self.times]
        return [kind.weight for kind in kinds]

    def layers(self):
        """All other weights."""
        tables = self.tables()
        return [weight for weight in self.parameters() if all(weight is not table for table in tables)]

    def pooled(self, item_ids):
        """What each relation says of each item, `[items, relations, GRAPH_DIM]`."""
        neighbours = self.entities(self.neighbours[item_ids])
        logits = (neighbours * self.neighbour_keys).sum(-1).masked_fill(self.is_missing[item_ids], -torch.inf)
        return (torch.softmax(logits, -1).unsqueeze(-1) * neighbours).sum(2)

    def loss(self, user_ids, item_ids, moments, ratings):
        """Squared error and penalties."""
        distinct, place = torch.unique(item_ids, return_inverse=True)
        users, items, tastes = self.users(user_ids), self.items(item_ids), self.tastes(user_ids)
        biases, times = torch.cat([self.user_bias(user_ids), self.item_bias(item_ids)], 1), self.times(moments)
        factors = 2 * torch.sigmoid(self.attention(self.tags[distinct])).squeeze(1)[place]
        said = self.pooled(distinct)[place]
        wanted = tastes + self.common_taste + (users * items) @ self.fusion
        attention = torch.softmax(self.relation_keys(tastes), -1)
        of_graph = len(RELATIONS) * (attention * (said @ wanted.unsqueeze(2)).squeeze(2)).sum(1)
        scores = (users * items).sum(1) * factors + biases.sum(1) + of_graph + times.sum((1, 2)) + MEAN
        penalty = L2 * (squared(users) + squared(items)) + L2_BIAS * squared(biases)
        penalty = penalty + L2_TASTE * squared(tastes) + L2_ENTITY * squared(said) + L2_TIME * squared(times)
        return (scores - ratings).square().mean() + penalty
