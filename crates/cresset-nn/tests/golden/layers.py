"""Prints what PyTorch makes of a transformer and of a mixture of experts: the numbers in it/layers.rs and it/experts.rs.

    python tests/golden/layers.py     # made with torch==2.9.0, CPU, float64

Parameters are no draws but waves, each with the place of its name among the sorted names as phase.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
BATCH, SEQ, D_MODEL, D_FF, N_HEADS, N_LAYERS = 2, 3, 4, 6, 2, 2
N_EXPERTS, PER_TOKEN, D_OUT = 3, 2, 2


def wave(shape, phase):
    """sin(0.7 i + phase) for element i."""
    count = torch.tensor(shape).prod()
    return torch.sin(0.7 * torch.arange(count) + phase).reshape(shape)


def parameters(shapes):
    """A wave for each name: of height 0.5, about 1 for a gamma, and of height 3 for a router."""
    height = lambda name: 3.0 if name.startswith("router") else 0.5
    middle = lambda name: 1.0 if name.endswith("gamma") else 0.0
    wave_of = lambda name, phase: middle(name) + height(name) * wave(shapes[name], phase)
    return {name: wave_of(name, phase).requires_grad_() for phase, name in enumerate(sorted(shapes))}


def show(name, values):
    print(f"{name}: [{', '.join(f'{value:.7g}' for value in values.flatten().tolist())}]")


def block_shapes(block):
    linear = lambda name, n_in, n_out: {f"{name}.weight": (n_in, n_out), f"{name}.bias": (n_out,)}
    norm = lambda name: {f"{name}.gamma": (D_MODEL,), f"{name}.beta": (D_MODEL,)}
    return {
        f"blocks.{block}.{name}": shape
        for name, shape in (
            norm("attention_norm")
            | linear("attention.qkv", D_MODEL, 3 * D_MODEL)
            | linear("attention.output", D_MODEL, D_MODEL)
            | norm("feed_forward_norm")
            | linear("feed_forward.inner", D_MODEL, D_FF)
            | linear("feed_forward.outer", D_FF, D_MODEL)
        ).items()
    }


def encoder_layer(p):
    """PyTorch's own layer with these parameters, whose linear layers are stored transposed."""
    layer = nn.TransformerEncoderLayer(
        D_MODEL, N_HEADS, D_FF, 0.0, activation="gelu", batch_first=True, norm_first=True
    )
    values = {
        "norm1.weight": p["attention_norm.gamma"], "norm1.bias": p["attention_norm.beta"],
        "norm2.weight": p["feed_forward_norm.gamma"], "norm2.bias": p["feed_forward_norm.beta"],
        "self_attn.in_proj_weight": p["attention.qkv.weight"].T, "self_attn.in_proj_bias": p["attention.qkv.bias"],
        "self_attn.out_proj.weight": p["attention.output.weight"].T,
        "self_attn.out_proj.bias": p["attention.output.bias"],
        "linear1.weight": p["feed_forward.inner.weight"].T, "linear1.bias": p["feed_forward.inner.bias"],
        "linear2.weight": p["feed_forward.outer.weight"].T, "linear2.bias": p["feed_forward.outer.bias"],
    }  # fmt: skip
    return lambda x, **masks: torch.func.functional_call(layer, values, (x,), masks)


def transformer():
    shapes = {name: shape for block in range(N_LAYERS) for name, shape in block_shapes(block).items()}
    all_parameters = parameters(shapes)
    x = (2 * wave((BATCH, SEQ, D_MODEL), 3.0)).requires_grad_()
    mask_pad = torch.tensor([[False] * 3, [False, False, True]])
    causal = torch.triu(torch.ones(SEQ, SEQ, dtype=torch.bool), 1)
    y = x
    for block in range(N_LAYERS):
        prefix = f"blocks.{block}."
        of_block = {n.removeprefix(prefix): p for n, p in all_parameters.items() if n.startswith(prefix)}
        y = encoder_layer(of_block)(y, src_mask=causal, src_key_padding_mask=mask_pad)
    there = ~mask_pad[:, :, None]
    show("transformer", y[~mask_pad])
    (y * there * wave(y.shape, 5.0)).sum().backward()
    show("gradient of x", x.grad[~mask_pad])
    prints = [(p.grad * wave(p.shape, 9.0)).sum() for _, p in sorted(all_parameters.items())]
    show("gradients of the parameters", torch.stack(prints))


def experts():
    shapes = {"router.weight": (D_MODEL, N_EXPERTS)}
    for at in range(N_EXPERTS):
        shapes |= {f"experts.{at}.inner.weight": (D_MODEL, D_FF), f"experts.{at}.inner.bias": (D_FF,)}
        shapes |= {f"experts.{at}.outer.weight": (D_FF, D_OUT), f"experts.{at}.outer.bias": (D_OUT,)}
    p = parameters(shapes)
    x = (2 * wave((5, D_MODEL), 3.0)).requires_grad_()
    there = torch.tensor([True, True, False, True, True])

    def expert(at):
        hidden = F.gelu(x @ p[f"experts.{at}.inner.weight"] + p[f"experts.{at}.inner.bias"])
        return hidden @ p[f"experts.{at}.outer.weight"] + p[f"experts.{at}.outer.bias"]

    probabilities = F.softmax(x @ p["router.weight"], 1)
    chosen = torch.zeros_like(probabilities).scatter(1, probabilities.topk(PER_TOKEN).indices, 1.0)
    gates = probabilities * chosen
    gates = gates / gates.sum(1, keepdim=True)
    output = sum(expert(at) * gates[:, at : at + 1] for at in range(N_EXPERTS)) * there[:, None]
    usage = chosen[there].sum(0) / chosen[there].sum()
    entropy = -(probabilities * probabilities.log()).sum(1)[there].mean()
    balance = N_EXPERTS * (usage * probabilities[there].mean(0)).sum()
    show("experts", output)
    show("usage", usage)
    show("entropy and load balance", torch.stack([entropy, balance]))
    ((output * wave(output.shape, 5.0)).sum() + 0.5 * entropy + 2 * balance).backward()
    show("gradient of x", x.grad)
    prints = [(p.grad * wave(p.shape, 9.0)).sum() for _, p in sorted(p.items())]
    show("gradients of the parameters", torch.stack(prints))


transformer()
experts()
