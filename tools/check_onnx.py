#!/usr/bin/env python3
"""Runs an exported model by onnxruntime and by OpenVINO on real images, and compares it with this program.

  check_onnx.py RUN MODEL.onnx IMAGE... [--cris PROGRAM]

Compared are the probabilities at the network's size with those that `cris predict --save-maps` writes in exact arithmetic; then all images as one
batch, and one image at another size, with themselves run by the other runtime. Needs numpy, Pillow, and onnxruntime or openvino
or both. Ends with 1 where a difference is 1e-4 or more.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

LIMIT = 1e-4


def runtimes(model):
    """Name -> function from images to probabilities, for each runtime that is installed."""
    found = {}
    try:
        import onnxruntime
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        found["onnxruntime"] = lambda x: session.run(["probability"], {"image": x})[0]
    except ImportError:
        pass
    try:
        import openvino
        compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        found["openvino"] = lambda x: compiled({"image": x})["probability"]
    except ImportError:
        pass
    if not found:
        sys.exit("neither onnxruntime nor openvino is installed")
    return found


def read_picture(path, size):
    picture = Image.open(path).convert("RGB").resize((size, size), Image.BILINEAR)
    return np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / np.float32(255)


def exact_copy(run, folder):
    """The run with run.precision = "exact". Winograd's rounding is larger by some units, and SegNet's unpooling may then
    put a value beside the place that exact sums choose, where two of a window are nearly equal."""
    copy = pathlib.Path(folder, "run")
    copy.mkdir()
    for path in run.iterdir():
        if path.name != "config.resolved.toml":
            (copy / path.name).symlink_to(path.resolve())
    config = (run / "config.resolved.toml").read_text()
    (copy / "config.resolved.toml").write_text(re.sub(r'(?m)^precision = ".*"', 'precision = "exact"', config))
    return copy


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("model")
    parser.add_argument("image", nargs="+", type=pathlib.Path)
    parser.add_argument("--cris", default="cris")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([a.cris, "predict", exact_copy(a.run, folder), *a.image, "-o", folder + "/out", "--save-maps"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ours = {p.stem: np.load(p)[None, None] for p in pathlib.Path(folder, "out/maps").glob("*.npy")}
    size = next(iter(ours.values())).shape[-1]
    pictures = {p.stem: read_picture(p, size) for p in a.image}
    bad = False

    def compare(what, one, other):
        nonlocal bad
        difference = float(np.abs(one - other).max())
        bad |= not difference < LIMIT
        print(f"{what:<52} {difference:.2e}  {'ok' if difference < LIMIT else 'FAILED'}")

    found = runtimes(a.model)
    for name, run in found.items():
        each = {k: run(x) for k, x in pictures.items()}
        compare(f"{name}, {len(each)} images of {size}x{size}", np.concatenate(list(each.values())),
                np.concatenate([ours[k] for k in each]))
        compare(f"{name}, as one batch", run(np.concatenate(list(pictures.values()))), np.concatenate(list(each.values())))
    if len(found) == 2:
        other = read_picture(a.image[0], size + 32)[:, :, :size]  # a height and a width of their own
        one, two = (run(other) for run in found.values())
        compare(f"{' against '.join(found)}, {size}x{size + 32}", one, two)
    sys.exit(bad)


if __name__ == "__main__":
    main()
