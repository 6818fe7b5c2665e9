#!/usr/bin/env python3
"""Makes parity cases with PyTorch in float64: op cases of awkward shapes and tiny whole models.

  make_parity_vectors.py OUT [--large] [--seed 0]

Needs torch, numpy and safetensors. Without --large: the small set of tests/vectors (a few hundred kilobytes in all). With it:
many more shapes, wider and deeper models, for a check outside the test suite. docs/reference/parity.md describes the format.
"""
import argparse
import json
import os

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

from torch_networks import BACKBONES, Composed, Refiner

torch.set_default_dtype(torch.float64)


GIVEN = ("input.", "cotangent.", "param.", "buffer.")


def single(t):
    """Rounded to what float32 holds, still float64."""
    return t.float().double()


class Writer:
    """Writes cases. compact: given tensors, which hold float32 values anyway, are stored as such, half the size."""

    def __init__(self, folder, compact):
        self.folder, self.compact = folder, compact
        os.makedirs(folder, exist_ok=True)

    def save(self, name, op, options, tensors):
        arrays = {k: np.array(v.detach().numpy(), order="C") for k, v in tensors.items()}
        if self.compact:
            arrays = {k: v.astype(np.float32) if k.startswith(GIVEN) and (v == v.astype(np.float32)).all() else v for k, v in arrays.items()}
        metadata = {"op": op, "options": json.dumps(options), "source": "torch " + torch.__version__}
        save_file(arrays, os.path.join(self.folder, name + ".safetensors"), metadata=metadata)

    def case(self, name, op, options, inputs, function, wanted=(), output="y"):
        """function(inputs) -> one tensor; gradients of `wanted` under a random cotangent."""
        inputs = {k: single(v) for k, v in inputs.items()}
        leaves = {k: v.clone().requires_grad_(k in wanted) for k, v in inputs.items()}
        y = function(leaves)
        tensors = {"input." + k: v for k, v in inputs.items()}
        tensors["output." + output] = y
        if wanted:
            cotangent = single(torch.randn(y.shape))
            (y * cotangent).sum().backward()
            tensors["cotangent." + output] = cotangent
            for k in wanted:
                tensors["grad." + k] = leaves[k].grad
        self.save(name, op, options, tensors)


# (n, in channels, h, w, out channels, kernel, stride, padding, bias)
CONVS_SMALL = [(1, 1, 1, 1, 1, 1, 1, 0, True), (2, 3, 4, 3, 17, 3, 1, 1, True), (1, 33, 4, 3, 1, 3, 1, 1, False),
               (1, 2, 2, 2, 65, 1, 1, 0, True), (1, 3, 6, 7, 2, 5, 2, 2, True), (1, 1, 8, 5, 1, 7, 1, 3, True),
               (3, 3, 5, 5, 2, 2, 2, 0, True), (1, 48, 2, 3, 2, 1, 1, 0, False), (1, 70, 2, 2, 1, 3, 2, 1, True)]
CONVS_LARGE = [(n, c, h, w, k, r, s, p, b)
               for n, c, h, w, k in [(1, 3, 16, 15, 17), (2, 17, 12, 13, 33), (1, 48, 16, 16, 65), (3, 65, 8, 9, 70), (1, 70, 9, 8, 48),
                                     (2, 33, 20, 6, 1), (1, 1, 17, 19, 48), (1, 64, 16, 16, 64), (4, 16, 12, 12, 16), (1, 128, 8, 8, 32)]
               for r, s, p, b in [(1, 1, 0, True), (3, 1, 1, False), (3, 1, 1, True), (3, 1, 0, True), (3, 2, 1, True), (5, 1, 2, False),
                                  (5, 3, 1, True), (7, 1, 3, True), (2, 2, 0, False), (4, 2, 1, True), (3, 1, 2, True), (1, 2, 0, True)]]
# (n, in channels, h, w, out channels, kernel, stride, padding, bias)
UPS_SMALL = [(1, 1, 1, 1, 1, 2, 2, 0, True), (2, 17, 2, 3, 2, 2, 2, 0, True), (1, 3, 4, 3, 5, 3, 2, 1, False),
             (1, 33, 2, 2, 1, 4, 2, 1, True), (1, 5, 3, 4, 2, 3, 1, 1, True)]
UPS_LARGE = [(n, c, h, w, k, r, s, p, b)
             for n, c, h, w, k in [(1, 3, 8, 7, 17), (2, 33, 6, 5, 48), (1, 65, 4, 4, 70), (1, 128, 8, 8, 64), (3, 17, 5, 5, 1)]
             for r, s, p, b in [(2, 2, 0, True), (2, 2, 0, False), (3, 2, 1, True), (4, 2, 1, True), (3, 3, 0, True), (5, 2, 2, True), (3, 1, 1, True)]]
# (n, c, h, w, kernel, stride)
POOLS_SMALL = [(1, 1, 2, 2, 2, 2), (2, 3, 5, 7, 2, 2), (1, 17, 3, 4, 3, 2), (1, 2, 6, 6, 3, 3), (1, 3, 4, 5, 2, 1)]
POOLS_LARGE = [(n, c, h, w, k, s) for n, c, h, w in [(2, 33, 9, 12), (1, 65, 16, 16), (3, 48, 7, 5), (1, 1, 31, 17), (4, 17, 8, 8)]
               for k, s in [(2, 2), (3, 2), (3, 1), (3, 3), (2, 1), (4, 2), (5, 5), (2, 3)]]
# (n, c, h, w, height, width)
RESIZES_SMALL = [(1, 1, 1, 1, 3, 2), (2, 3, 2, 3, 4, 6), (1, 17, 1, 2, 2, 4), (1, 1, 4, 3, 3, 4), (1, 3, 5, 4, 1, 1)]
RESIZES_LARGE = [(n, c, h, w, p, q) for n, c in [(1, 33), (2, 65), (3, 1)]
                 for h, w, p, q in [(8, 6, 16, 12), (5, 7, 11, 3), (1, 9, 4, 18), (16, 16, 5, 7), (2, 2, 32, 32), (6, 6, 6, 6)]]
CHANNELS_SMALL = [(4, 1, 3, 2), (2, 17, 2, 3), (3, 33, 2, 1)]
CHANNELS_LARGE = [(4, 65, 9, 7), (2, 48, 16, 16), (3, 70, 5, 5), (1, 3, 33, 31), (2, 1, 2, 2), (8, 16, 4, 4)]


def ops(writer, large):
    r = torch.randn
    for i, (n, c, h, w, k, e, s, p, b) in enumerate(CONVS_LARGE if large else CONVS_SMALL):
        x = {"x": r(n, c, h, w), "weight": r(k, c, e, e) / (c * e * e) ** 0.5, **({"bias": r(k)} if b else {})}
        writer.case(f"conv2d_{i}", "conv2d", {"stride": s, "padding": p}, x,
                    lambda t: F.conv2d(t["x"], t["weight"], t.get("bias"), stride=s, padding=p), tuple(x))
    for i, (n, c, h, w, k, e, s, p, b) in enumerate(UPS_LARGE if large else UPS_SMALL):
        x = {"x": r(n, c, h, w), "weight": r(c, k, e, e) / c ** 0.5, **({"bias": r(k)} if b else {})}
        writer.case(f"conv_transpose2d_{i}", "conv_transpose2d", {"stride": s, "padding": p}, x,
                    lambda t: F.conv_transpose2d(t["x"], t["weight"], t.get("bias"), stride=s, padding=p), tuple(x))
    for i, (n, c, h, w, k, s) in enumerate(POOLS_LARGE if large else POOLS_SMALL):
        # Whole numbers every other time: ties must go to the first maximum.
        x = single(r(n, c, h, w)) if i % 2 == 0 else torch.randint(0, 3, (n, c, h, w)).double()
        writer.case(f"max_pool2d_{i}", "max_pool2d", {"kernel": k, "stride": s}, {"x": x}, lambda t: F.max_pool2d(t["x"], k, s), ("x",))
        y, index = F.max_pool2d(x, k, s, return_indices=True)
        leaf = x.clone().requires_grad_()
        pooled = F.max_pool2d(leaf, k, s)
        cotangent = single(r(*y.shape))
        (pooled * cotangent).sum().backward()
        writer.save(f"max_pool2d_index_{i}", "max_pool2d", {"kernel": k, "stride": s},
                    {"input.x": x, "output.y": y, "output.indices": index, "cotangent.y": cotangent, "grad.x": leaf.grad})
        if s >= k:  # overlapping windows may name one place twice; which value stays is not defined there
            writer.case(f"pool_unpool_{i}", "pool_unpool", {"kernel": k, "stride": s}, {"x": x, "z": r(*y.shape)},
                        lambda t: F.max_unpool2d(t["z"], index, k, s, output_size=(h, w)), ("z",))
    for i, (n, c, h, w, p, q) in enumerate(RESIZES_LARGE if large else RESIZES_SMALL):
        for corners in (False, True):
            writer.case(f"resize_bilinear_{i}_{'corners' if corners else 'centers'}", "resize_bilinear", {"size": [p, q], "align_corners": corners},
                        {"x": r(n, c, h, w)}, lambda t: F.interpolate(t["x"], size=(p, q), mode="bilinear", align_corners=corners), ("x",))
        scale = 1 + (i + 1) % 3
        writer.case(f"resize_nearest_{i}", "resize_nearest", {"scale": scale}, {"x": r(n, c, h, w)},
                    lambda t: F.interpolate(t["x"], scale_factor=scale, mode="nearest"), ("x",))
    for i, (n, c, h, w) in enumerate(CHANNELS_LARGE if large else CHANNELS_SMALL):
        for training in (True, False):
            momentum, epsilon = [(0.1, 1e-5), (0.3, 1e-3), (0.01, 1e-5)][i % 3]
            inputs = {"x": single(3 * r(n, c, h, w) + 1), "weight": single(r(c)), "bias": single(r(c)), "running_mean": single(r(c)),
                      "running_var": single(torch.rand(c) + 0.5)}
            mean, var = inputs["running_mean"].clone(), inputs["running_var"].clone()
            leaves = {k: inputs[k].clone().requires_grad_() for k in ("x", "weight", "bias")}
            y = F.batch_norm(leaves["x"], mean, var, leaves["weight"], leaves["bias"], training, momentum, epsilon)
            cotangent = single(r(*y.shape))
            (y * cotangent).sum().backward()
            tensors = {"input." + k: v for k, v in inputs.items()}
            tensors.update({"output.y": y, "cotangent.y": cotangent, **{"grad." + k: v.grad for k, v in leaves.items()}})
            if training:
                tensors.update({"output.running_mean": mean, "output.running_var": var})
            writer.save(f"batch_norm_{i}_{'train' if training else 'eval'}", "batch_norm",
                        {"training": training, "momentum": momentum, "epsilon": epsilon}, tensors)
        writer.case(f"relu_{i}", "relu", {}, {"x": r(n, c, h, w)}, lambda t: F.relu(t["x"]), ("x",))
        writer.case(f"sigmoid_{i}", "sigmoid", {}, {"x": 5 * r(n, c, h, w)}, lambda t: torch.sigmoid(t["x"]), ("x",))
        writer.case(f"softmax_{i}", "softmax", {"axis": "channels"}, {"x": 4 * r(n, c, h, w)}, lambda t: F.softmax(t["x"], 1), ("x",))
        parts = {"a": r(n, c, h, w), "b": r(n, 1 + i, h, w), "c": r(n, 3 + 7 * i, h, w)}
        writer.case(f"concat_{i}", "concat", {"axis": "channels"}, parts, lambda t: torch.cat([t[k] for k in sorted(t)], 1), tuple(parts))
        target = (torch.rand(n, 1, h, w) > 0.5).double()
        soft = torch.rand(n, 1, h, w)
        writer.case(f"mse_loss_{i}", "mse_loss", {}, {"x": r(n, 1, h, w), "target": soft}, lambda t: F.mse_loss(t["x"], t["target"]), ("x",), "loss")
        writer.case(f"binary_cross_entropy_{i}", "binary_cross_entropy", {"log_floor": -100}, {"x": 0.01 + 0.98 * torch.rand(n, 1, h, w), "target": soft},
                    lambda t: F.binary_cross_entropy(t["x"], t["target"]), ("x",), "loss")
        writer.case(f"binary_cross_entropy_with_logits_{i}", "binary_cross_entropy_with_logits", {}, {"x": 20 * r(n, 1, h, w), "target": target},
                    lambda t: F.binary_cross_entropy_with_logits(t["x"], t["target"]), ("x",), "loss")
    saturated = torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5]).reshape(1, 1, 1, 5)
    writer.case("binary_cross_entropy_saturated", "binary_cross_entropy", {"log_floor": -100, "compare": "output"},
                {"x": saturated, "target": torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0]).reshape(1, 1, 1, 5)},
                lambda t: F.binary_cross_entropy(t["x"], t["target"]), (), "loss")
    for i, (rate, betas, epsilon, decay) in enumerate([(1e-2, (0.9, 0.999), 1e-8, 0.0), (3e-4, (0.8, 0.99), 1e-6, 0.02)]):
        w, grads = single(r(3, 5)), single(r(7, 3, 5))
        leaf = w.clone().requires_grad_()
        optimizer = torch.optim.Adam([leaf], rate, betas=betas, eps=epsilon, weight_decay=decay)
        after = []
        for g in grads:
            leaf.grad = g.clone()
            optimizer.step()
            after.append(leaf.detach().clone())
        writer.save(f"adam_{i}", "adam", {"learning_rate": rate, "betas": list(betas), "epsilon": epsilon, "weight_decay": decay},
                    {"input.w": w, "input.grads": grads, "output.w": torch.stack(after)})


def first_program_ops(writer, large):
    r = torch.randn
    for i, (n, c, h, w) in enumerate(CHANNELS_LARGE if large else CHANNELS_SMALL):
        x = {"x": 3 * r(n, c, h, w)}
        writer.case(f"tanh_{i}", "tanh", {}, x, lambda t: torch.tanh(t["x"]), ("x",))
        writer.case(f"exp_{i}", "exp", {}, x, lambda t: torch.exp(t["x"]), ("x",))
        writer.case(f"log_{i}", "log", {}, {"x": 0.01 + x["x"].abs()}, lambda t: torch.log(t["x"]), ("x",))
        classes = torch.randint(0, c, (n, h, w)).double()
        writer.case(f"cross_entropy_{i}", "cross_entropy", {}, {**x, "target": classes},
                    lambda t: F.cross_entropy(t["x"], t["target"].long()), ("x",), "loss")
        maps = {"x": r(n * h, c), "weight": r(w + 3, c) / c ** 0.5, **({"bias": r(w + 3)} if i else {})}
        writer.case(f"linear_{i}", "linear", {}, maps, lambda t: F.linear(t["x"], t["weight"], t.get("bias")), tuple(maps))


def model_case(writer, name, kind, base, n, h, w, channels, kernels, steps, rate, gradients_of=("",)):
    net = Composed(BACKBONES[kind](base), Refiner(channels, kernels))
    for key, value in net.state_dict().items():  # running statistics that are not the defaults
        if key.endswith("running_mean"):
            value.copy_(0.1 * torch.randn(value.shape))
        if key.endswith("running_var"):
            value.copy_(0.5 + torch.rand(value.shape))
        if value.is_floating_point():
            value.copy_(single(value))
    start = {k: v.clone() for k, v in net.state_dict().items()}
    image, mask = single(torch.rand(n, 3, h, w)), (torch.rand(n, 1, h, w) > 0.7).double()
    tensors = {"input.image": image, "input.mask": mask}
    tensors.update({"param." + k: v.detach().clone() for k, v in net.named_parameters()})
    tensors.update({"buffer." + k: v.clone() for k, v in net.named_buffers() if not k.endswith("num_batches_tracked")})

    def evaluation(prefix):
        net.eval()
        with torch.no_grad():
            z, refined = net(image)
        net.train()
        tensors[prefix + "backbone"], tensors[prefix + "refined"] = torch.sigmoid(z), torch.sigmoid(refined)

    def loss_of(step, z, refined):
        return F.mse_loss(torch.sigmoid(z), mask) if step % 2 == 0 else F.binary_cross_entropy_with_logits(refined, mask)

    evaluation("eval.")
    for step, label in enumerate(("mse", "bce")):
        net.load_state_dict(start)
        net.zero_grad(set_to_none=True)
        z, refined = net(image)
        loss = loss_of(step, z, refined)
        loss.backward()
        tensors["output.backbone"], tensors["output.refined"], tensors["loss." + label] = torch.sigmoid(z), torch.sigmoid(refined), loss
        for k, v in net.named_parameters():
            if v.grad is not None and any(part in k for part in gradients_of):
                tensors[f"grad.{label}.{k}"] = v.grad.clone()
    net.load_state_dict(start)
    optimizer = torch.optim.Adam(net.parameters(), rate)
    losses = []
    for step in range(steps):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(step, *net(image))
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    tensors["train.losses"] = torch.stack(losses)
    evaluation("train.eval_")
    writer.save(name, "model", {"model": kind, "base": base, "refiner_channels": channels, "refiner_kernels": list(kernels), "dropout": 0,
                                "strategy": "cris", "steps": steps, "learning_rate": rate}, tensors)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    a = parser.parse_args()
    torch.manual_seed(a.seed)
    writer = Writer(a.out, compact=not a.large)
    ops(writer, a.large)
    if a.large:
        for i, (kind, base, n, h, w, c, kernels) in enumerate([
                ("unet", 6, 1, 48, 32, 3, (5, 3)), ("unet", 8, 3, 32, 64, 16, (7, 5, 3)), ("unet", 3, 2, 32, 32, 5, (9, 7, 5, 3)),
                ("unet++", 5, 1, 32, 48, 8, (3, 3)), ("unet++", 3, 2, 48, 32, 4, (7, 5, 3)), ("unet++", 8, 2, 32, 32, 1, (3,)),
                ("segnet", 5, 1, 64, 32, 6, (5, 5, 3)), ("segnet", 3, 2, 32, 64, 4, (7, 5, 3)), ("segnet", 8, 2, 64, 64, 2, (1, 1))]):
            model_case(writer, f"model_{i}_{kind.replace('+', 'p')}", kind, base, n, h, w, c, kernels, 6, 1e-3)
    else:
        ends = ("encoder.0.", "node.0_0.", "head", "refiner")
        model_case(writer, "model_unet", "unet", 2, 1, 32, 32, 3, (5, 3), 3, 1e-3, ends)
        model_case(writer, "model_unetpp", "unet++", 2, 1, 32, 32, 2, (3,), 3, 1e-3, ends)
        model_case(writer, "model_segnet", "segnet", 2, 1, 32, 32, 2, (3, 3), 3, 1e-3, ends)
    # Last: the numbers of the cases above stay what they were.
    first_program_ops(writer, a.large)


if __name__ == "__main__":
    main()
