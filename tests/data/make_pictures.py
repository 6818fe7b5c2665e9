#!/usr/bin/env python3
"""Writes pictures/: small files in every format, with the pixels that Pillow sees in them (.rgb, raw), and Pillow's resizes.

Run it in this folder (Debian: python3-pil, python3-numpy). The tests read what it left behind; they need no Python.
"""
import os
import numpy as np
from PIL import Image

os.makedirs("pictures", exist_ok=True)
h, w = 12, 20
y, x = np.mgrid[0:h, 0:w]
rgb = np.stack([20 + 11 * x, 240 - 15 * y, 60 + 5 * x + 6 * y], -1).astype(np.uint8)
rng = np.random.default_rng(7)
noisy = rng.integers(0, 256, (31, 45, 3), dtype=np.uint8)
gray = rgb[..., 1]
alpha = np.where(x < 10, 255, 8 * y).astype(np.uint8)


def save(name, image, seen, **options):
    image.save(f"pictures/{name}", **options)
    np.ascontiguousarray(seen, dtype=np.uint8).tofile(f"pictures/{name}.rgb")


def on_black(colour, a):
    return (colour.astype(int) * a[..., None].astype(int) + 127) // 255


def three(plane):
    return np.repeat(plane[..., None], 3, -1)


def reread(name):
    return np.asarray(Image.open(f"pictures/{name}").convert("RGB"))


save("rgb.png", Image.fromarray(rgb), rgb)
save("gray.png", Image.fromarray(gray), three(gray))
save("rgba.png", Image.fromarray(np.dstack([rgb, alpha])), on_black(rgb, alpha))
save("gray_alpha.png", Image.fromarray(np.dstack([gray, alpha]), "LA"), on_black(three(gray), alpha))
palette = Image.fromarray(rgb).quantize(16)
save("palette.png", palette, np.asarray(palette.convert("RGB")))
save("bilevel.png", Image.fromarray(x > 9), three((x > 9) * 255))
deep = (gray.astype(np.uint16) << 8) | 77
save("gray16.png", Image.fromarray(deep), three(gray))
save("deep.tif", Image.fromarray(deep), three(gray))
# Only the low byte is used: these are refused.
faint = np.where(x > 9, 255, 0).astype(np.uint16)
Image.fromarray(faint).save("pictures/faint.png")
Image.fromarray(faint).save("pictures/faint.tif")
save("black16.tif", Image.fromarray(0 * faint), three(0 * gray))
save("rgb.bmp", Image.fromarray(rgb), rgb)
save("gray.bmp", Image.fromarray(gray), three(gray))
save("rgb.tif", Image.fromarray(rgb), rgb)
save("lzw.tif", Image.fromarray(rgb), rgb, compression="tiff_lzw")
save("gray.tif", Image.fromarray(gray), three(gray))
for name, image, options in [
    ("444.jpg", rgb, dict(subsampling=0)),
    ("420.jpg", rgb, dict(subsampling=2)),
    ("progressive.jpg", rgb, dict(progressive=True, subsampling=0)),
    ("gray.jpg", gray, {}),
]:
    Image.fromarray(image).save(f"pictures/{name}", quality=90, **options)
    reread(name).tofile(f"pictures/{name}.rgb")

Image.fromarray(noisy).save("pictures/noisy.png")
for height, width in [(31, 45), (16, 16), (31, 7), (64, 45), (70, 100), (5, 90), (1, 1)]:
    for mode in ("RGB", "L"):
        resized = Image.fromarray(noisy).convert(mode).resize((width, height), Image.BILINEAR)
        np.asarray(resized).tofile(f"pictures/noisy_{height}x{width}_{mode}.raw")
