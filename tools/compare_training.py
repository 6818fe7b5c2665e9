#!/usr/bin/env python3
"""Twenty steps of strategy cris beside PyTorch: the same weights, batches and dropout masks before every step.

    pip install torch numpy safetensors pillow
    tools/compare_training.py build/release/cris [--steps 20] [--backbone unet] [--rate 1e-3]

The program trains on four procedural pictures, a step an epoch, and is stopped after each. Before each step PyTorch gets the weights that the
program has then, computes loss and gradients in f64, and torch.optim.Adam takes the program's own gradients from the program's own moments. In steps
of L1 the refiner must not change in a bit. Prints a line a network; the exit code is 1 when a limit is passed.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.numpy import load_file

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from make_parity_vectors import BACKBONES, Composed, Refiner  # noqa: E402

BASE, SIZE, SEED, CHANNELS, KERNELS, DROPOUT = 8, 64, 1, 16, (7, 5, 3), 0.01
LOSS_LIMIT, UPDATE_LIMIT = 1e-6, 1e-3  # of a loss; of an update, in shares of the learning rate
SHUFFLE_STREAM = 0xDA7A0002


def philox(seed, stream, step, count):
    """The first `count` 32-bit words of a stream: Philox4x32-10 on counters (block, 0, stream, step)."""
    blocks = (count + 3) // 4
    low = np.uint64(0xFFFFFFFF)
    c = [np.arange(blocks, dtype=np.uint64), np.zeros(blocks, np.uint64), np.full(blocks, stream, np.uint64), np.full(blocks, step, np.uint64)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), b & low, (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), a & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=1).reshape(-1)[:count]


def stream_of(name):
    """FNV-1a over 64-bit words, as nn/hash.h."""
    data, h, keep = name.encode(), 0xCBF29CE484222325, (1 << 64) - 1
    for at in range(0, len(data), 8):
        h = ((h ^ int.from_bytes(data[at:at + 8].ljust(8, b"\0"), "little")) * 0x100000001B3) & keep
        h ^= h >> 29
    h = ((h ^ len(data)) * 0x100000001B3) & keep
    return (h ^ (h >> 32)) & 0xFFFFFFFF


def batch_order(count, epoch):
    order, words = list(range(count)), philox(SEED, SHUFFLE_STREAM, epoch, count)
    for i in range(count - 1, 0, -1):
        j = (int(words[i]) * (i + 1)) >> 32
        order[i], order[j] = order[j], order[i]
    return order


def dropped(x, layer, step):
    """x [N,C,H,W] with the program's mask, whose elements count in the order N, H, W, C."""
    n, c, h, w = x.shape
    keep = philox(SEED, stream_of(f"refiner.dropout.{layer}"), step, n * c * h * w) * 2.0 ** -32 >= DROPOUT
    return x * torch.from_numpy(keep.reshape(n, h, w, c).transpose(0, 3, 1, 2).astype(np.float64)) / (1 - DROPOUT)


def refined(refiner, p, step):
    x = dropped(F.relu(refiner.expand(p)), 0, step)
    for i, conv in enumerate(refiner.conv):
        x = dropped(F.relu(conv(x)), i + 1, step)
    return refiner.head(x)


def read(path, channels):
    values = np.asarray(Image.open(path).convert("RGB" if channels == 3 else "L"), dtype=np.float64)
    return torch.from_numpy(values / 255).permute(2, 0, 1) if channels == 3 else torch.from_numpy((values >= 128).astype(np.float64))[None]


def training_names(run):
    names, inside = [], False
    for line in open(f"{run}/split.txt"):
        inside = line.startswith("[training") or (inside and not line.startswith("["))
        if inside and not line.startswith("["):
            names.append(line.rstrip("\n"))
    return names


def compare(program, folder, kind, steps, rate):
    run = f"{folder}/{kind}"
    command = [program, "train", "--data", f"{folder}/data", "--size", str(SIZE), "--backbone", kind, "--base", str(BASE), "--strategy", "cris",
               "--overfit", "4", "--seed", str(SEED), "--precision", "exact" if kind == "segnet" else "f32"]

    def train(out, epochs, lr):
        subprocess.run(command + ["--epochs", str(epochs), "--lr", str(lr), "-o", out], check=True, stdout=subprocess.DEVNULL)
        return load_file(f"{out}/checkpoints/last.safetensors")

    before = train(f"{run}-start", 1, 0)  # a rate of 0: the initial weights
    before = {k: v for k, v in before.items() if not k.startswith("optimizer.")}
    net = Composed(BACKBONES[kind](BASE), Refiner(CHANNELS, KERNELS)).double()
    parameters = dict(net.named_parameters())
    worst_loss = worst_update = 0.0
    gradient_errors, untouched = [], 0
    for step in range(steps):
        after = train(run, step + 1, rate)
        losses = [json.loads(line) for line in open(f"{run}/metrics.jsonl")]
        ours = next(line["loss"] for line in losses if line.get("step") == 0 and line["epoch"] == step + 1)
        names = training_names(run)
        batch = [names[i] for i in batch_order(len(names), step)]
        x = torch.stack([read(f"{folder}/data/images/{n}.png", 3) for n in batch])
        g = torch.stack([read(f"{folder}/data/masks/{n}.png", 1) for n in batch])
        net.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in before.items() if not k.startswith("optimizer.")})
        net.train()
        net.zero_grad(set_to_none=True)
        p = torch.sigmoid(net.backbone(x))
        if step % 2 == 0:
            loss = F.mse_loss(p, g)
        else:
            loss = F.binary_cross_entropy_with_logits(refined(net.refiner, p, step), g)
        loss.backward()
        worst_loss = max(worst_loss, abs(loss.item() - ours))
        for name, parameter in parameters.items():
            key = f"optimizer.step.{name}"
            count, now = (int(s.get(key, np.zeros(()))) for s in (before, after))
            if parameter.grad is None:
                same = [k for k in after if k == name or (k.startswith("optimizer.") and k.endswith(f".{name}"))]
                assert all(after[k].tobytes() == before[k].tobytes() for k in same), f"step {step}: {name} changed in a step of L1"
                untouched += 1
                continue
            assert now == count + 1, f"step {step}: {name} counts {count}, then {now}"
            m0, v0 = (before.get(f"optimizer.{k}.{name}", np.zeros(parameter.shape)).astype(np.float64) for k in "mv")
            own = (after[f"optimizer.m.{name}"].astype(np.float64) - 0.9 * m0) / 0.1
            gradient_errors.append(np.linalg.norm(own - parameter.grad.numpy()) / max(np.linalg.norm(own), 1e-12))
            leaf = torch.from_numpy(before[name].astype(np.float64)).requires_grad_()
            adam = torch.optim.Adam([leaf], rate, betas=(0.9, 0.999), eps=1e-8)
            adam.state[leaf] = {"step": torch.tensor(float(count)), "exp_avg": torch.from_numpy(m0), "exp_avg_sq": torch.from_numpy(v0)}
            leaf.grad = torch.from_numpy(own)
            adam.step()
            error = np.abs(leaf.detach().numpy() - after[name]) - np.spacing(np.abs(after[name]))  # the weight is rounded to f32
            worst_update = max(worst_update, error.max() / rate)
        before = after
    good = worst_loss < LOSS_LIMIT and worst_update < UPDATE_LIMIT and untouched == (steps + 1) // 2 * len(list(net.refiner.parameters()))
    print(f"{kind}: {steps} steps, losses within {worst_loss:.1e}, gradients within {np.median(gradient_errors):.1e} in the median and "
          f"{max(gradient_errors):.1e} at worst, updates within {max(worst_update, 0):.1e} of the rate, refiner untouched to the bit in "
          f"{(steps + 1) // 2} steps of L1{'' if good else '  FAILED'}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--backbone", nargs="+", default=list(BACKBONES), choices=list(BACKBONES))
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "data", "synthesize", f"{folder}/data", "--count", "20", "--size", str(SIZE), "--seed", "1"], check=True,
                       stdout=subprocess.DEVNULL)
        results = [compare(program, folder, kind, options.steps, options.rate) for kind in options.backbone]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
