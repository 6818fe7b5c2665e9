#!/usr/bin/env python3
"""Images a second of `cris predict` beside Python programs that do the same with onnxruntime and OpenVINO.

  tools/bench/predict_peer.py RUN MODEL.onnx IMAGES [--cris build/release/cris] [--runs 3] [--threads 2]

Each reads a picture, resizes it, runs the network, resizes the map to the picture's size, and writes mask and map as PNG.
The programs run in turn; the median is printed. Needs numpy, Pillow, onnxruntime and openvino (PyPI).
"""
import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parents[2]


def onnxruntime_network(model, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(["probability"], {"image": x})[0]


def openvino_network(model, threads):
    import openvino
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    compiled = openvino.Core().compile_model(model, "CPU", settings)
    return lambda x: compiled({"image": x})["probability"]


def predict(network, files, size, threshold, out):
    for name in ("masks", "probability"):
        (out / name).mkdir()
    for file in files:
        image = Image.open(file).convert("RGB")
        x = np.asarray(image.resize((size, size), Image.BILINEAR), np.float32) / np.float32(255)
        p = network(np.ascontiguousarray(x.transpose(2, 0, 1)[None]))[0, 0]
        p = np.asarray(Image.fromarray(p, mode="F").resize(image.size, Image.BILINEAR))
        Image.fromarray(((p >= threshold) * 255).astype(np.uint8)).save(out / "masks" / (file.stem + ".png"))
        Image.fromarray((p * 255 + 0.5).astype(np.uint8)).save(out / "probability" / (file.stem + ".png"))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("run")
    p.add_argument("model", help="what `cris export RUN` wrote")
    p.add_argument("images", help="a folder")
    p.add_argument("--cris", default=str(HERE / "build/release/cris"))
    p.add_argument("--size", type=int, default=256, help="the network's")
    p.add_argument("--threshold", type=float, default=0.5)
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    files = sorted(f for f in pathlib.Path(a.images).iterdir() if f.suffix in (".png", ".jpg", ".jpeg", ".bmp", ".tif"))
    networks = {"onnxruntime": onnxruntime_network(a.model, a.threads), "openvino": openvino_network(a.model, a.threads)}
    rates = {}
    for _ in range(a.runs):
        for name in ("cris", *networks):
            with tempfile.TemporaryDirectory() as folder:
                out, begin = pathlib.Path(folder), time.time()
                if name == "cris":
                    subprocess.run([a.cris, "predict", a.run, a.images, "-o", folder, "--threads", str(a.threads),
                                    "--threshold", str(a.threshold)], check=True, capture_output=True)
                else:
                    predict(networks[name], files, a.size, a.threshold, out)
                rates.setdefault(name, []).append(len(files) / (time.time() - begin))
    for name, all_of in rates.items():
        print(f"{name:<12} {statistics.median(all_of):6.1f} images a second, {min(all_of):.1f} to {max(all_of):.1f}")


if __name__ == "__main__":
    main()
