#!/usr/bin/env python3
"""Loads a run into PyTorch and writes its probability maps.

  load_in_pytorch.py RUN IMAGE... -o DIR     DIR/NAME.npy, f32, at the network's size

Needs torch, numpy, Pillow and safetensors. The CRF of strategy crf has no counterpart here: its map is the backbone's.
"""
import argparse
import pathlib
import tomllib

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from torch_networks import Refiner, SegNet, UNet, UNetPlusPlus


def load_run(run):
    """The model of a run in evaluation mode, from images [N, 3, H, W] of RGB / 255 to probabilities; and its size."""
    config = tomllib.loads(pathlib.Path(run, "config.resolved.toml").read_text())
    m, r = config["model"], config["refiner"]
    backbone = {"unet": lambda: UNet(m["base"], m["norm"] == "batch"),
                "unet++": lambda: UNetPlusPlus(m["base"], m["up"] == "transposed", m["deep_supervision"]),
                "segnet": lambda: SegNet(m["base"])}[m["backbone"]]()
    net = torch.nn.ModuleDict({"backbone": backbone})
    if config["train"]["strategy"] in ("fcn", "cris"):
        net["refiner"] = Refiner(r["channels"], r["kernels"])
    tensors = load_file(str(pathlib.Path(run, "checkpoints/best.safetensors")))
    net.load_state_dict({k: v for k, v in tensors.items() if not k.startswith("crf.")})
    net.eval()
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))

    @torch.no_grad()
    def predict(x):
        p = torch.sigmoid(backbone((x - mean) / deviation if m["input"] == "standard" else x))
        return torch.sigmoid(net["refiner"](p)) if "refiner" in net else p

    return predict, config["data"]["size"]


def read_picture(path, size):
    """[1, 3, size, size], RGB / 255, resized as this project resizes."""
    picture = Image.open(path).convert("RGB").resize((size, size), Image.BILINEAR)
    return np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / np.float32(255)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("image", nargs="+", type=pathlib.Path)
    parser.add_argument("-o", "--out", default="maps", type=pathlib.Path)
    a = parser.parse_args()
    predict, size = load_run(a.run)
    a.out.mkdir(parents=True, exist_ok=True)
    for path in a.image:
        probability = predict(torch.from_numpy(read_picture(path, size)))
        np.save(a.out / (path.stem + ".npy"), probability[0, 0].numpy())
