"""Prints the learning rates of PyTorch's schedulers over 8 epochs of 3 steps: the numbers in it/schedules.rs.

    python tests/golden/schedules.py     # made with torch==2.9.0

The schedulers of epochs are stepped after each epoch, the warm-up after each step, both on one optimiser of rate 0.1.
"""

import torch

EPOCHS, STEPS, RATE = 8, 3, 0.1
s = torch.optim.lr_scheduler


def rates(make, warmup=0):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    rise = None
    if warmup:
        rise = s.LinearLR(optimizer, start_factor=1 / warmup, end_factor=1.0, total_iters=warmup - 1)
    fall = make(optimizer)
    found = []
    for _ in range(EPOCHS):
        for _ in range(STEPS):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if rise:
                rise.step()
        fall.step()
    return found


def show(name, values):
    # One rate for each epoch, unless a warm-up makes the steps differ.
    values = values if "warm" in name else values[::STEPS]
    print(f"{name}: [{', '.join(f'{value:.12g}' for value in values)}]")


show("constant", rates(lambda o: s.ConstantLR(o, factor=1.0)))
show("step", rates(lambda o: s.StepLR(o, step_size=3, gamma=0.5)))
show("exponential", rates(lambda o: s.ExponentialLR(o, gamma=0.9)))
show("cosine", rates(lambda o: s.CosineAnnealingLR(o, T_max=8)))
show("cosine to a tenth", rates(lambda o: s.CosineAnnealingLR(o, T_max=8, eta_min=0.1 * RATE)))
show("linear in 5", rates(lambda o: s.LinearLR(o, start_factor=1.0, end_factor=0.2, total_iters=5)))
show("exponential, warm-up of 7", rates(lambda o: s.ExponentialLR(o, gamma=0.9), warmup=7))
show("linear, warm-up of 4", rates(lambda o: s.LinearLR(o, start_factor=1.0, end_factor=0.0, total_iters=8), warmup=4))
