#!/usr/bin/env python3
"""Writes pictures/: small files in every format, with the pixels that Pillow sees in them (.rgb, raw), and Pillow's resizes.

Run it in this folder (Debian: python3-pil, python3-numpy, libjpeg-turbo-progs). The tests read what it left behind; they
need no Python.
"""
import os
import struct
import subprocess
import zlib
import numpy as np
from PIL import Image, ImageOps

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


def three(plane):
    return np.repeat(plane[..., None], 3, -1)


def reread(name):
    return np.asarray(Image.open(f"pictures/{name}").convert("RGB"))


save("rgb.png", Image.fromarray(rgb), rgb)
save("gray.png", Image.fromarray(gray), three(gray))
save("rgba.png", Image.fromarray(np.dstack([rgb, alpha])), rgb)
save("gray_alpha.png", Image.fromarray(np.dstack([gray, alpha]), "LA"), three(gray))
palette = Image.fromarray(rgb).quantize(16)
save("palette.png", palette, np.asarray(palette.convert("RGB")))
save("bilevel.png", Image.fromarray(x > 9), three((x > 9) * 255))
deep = (gray.astype(np.uint16) << 8) | 77
save("gray16.png", Image.fromarray(deep), three(gray))
save("deep.tif", Image.fromarray(deep), three(gray))
# Of the 16 bits only 8 or 12 are used.
for kind in ("png", "tif"):
    save("faint8." + kind, Image.fromarray(gray.astype(np.uint16)), three(gray))
    save("faint12." + kind, Image.fromarray(gray.astype(np.uint16) << 4 | 9), three(gray))
save("black16.tif", Image.fromarray(0 * deep), three(0 * gray))
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
    ("cmyk.jpg", np.dstack([255 - rgb, gray // 2]), dict(subsampling=0)),
]:
    Image.fromarray(image, "CMYK" if "cmyk" in name else None).save(f"pictures/{name}", quality=90, **options)
    reread(name).tofile(f"pictures/{name}.rgb")
with open("pictures/cmyk.jpg", "rb") as file:
    cmyk = file.read()
adobe = cmyk.index(b"\xff\xee")
with open("pictures/cmyk_without_adobe.jpg", "wb") as file:
    file.write(cmyk[:adobe] + cmyk[adobe + 2 + int.from_bytes(cmyk[adobe + 2 : adobe + 4], "big") :])
subprocess.run("jpegtran -arithmetic -outfile pictures/arithmetic.jpg pictures/420.jpg", shell=True, check=True)
for name in ("cmyk_without_adobe.jpg", "arithmetic.jpg"):
    reread(name).tofile(f"pictures/{name}.rgb")

# Orientation tags: what a viewer shows.
for turn in range(2, 9):
    exif = Image.Exif()
    exif[0x112] = turn
    for kind in ("png", "jpg") if turn == 6 else ("png",):
        name = f"pictures/turned{turn}.{kind}"
        Image.fromarray(rgb).save(name, exif=exif)
        np.asarray(ImageOps.exif_transpose(Image.open(name))).tofile(name + ".rgb")

# Indices 2 to 239 have no colour in these palettes.
index = gray.copy()
colours = bytes([10, 20, 30, 200, 100, 50])
seen = np.zeros((h, w, 3), np.uint8)
index[0, :2] = 0, 1
seen[0, :2] = (10, 20, 30), (200, 100, 50)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def write(name, content, seen):
    with open(f"pictures/{name}", "wb") as file:
        file.write(content)
    np.ascontiguousarray(seen, dtype=np.uint8).tofile(f"pictures/{name}.rgb")


rows = zlib.compress(b"".join(b"\0" + index[row].tobytes() for row in range(h)))
write("beyond.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 3, 0, 0, 0)) +
      chunk(b"PLTE", colours) + chunk(b"IDAT", rows) + chunk(b"IEND", b""), seen)
bgr = bytes([30, 20, 10, 0, 50, 100, 200, 0])
write("beyond.bmp", b"BM" + struct.pack("<IHHI", 62 + h * w, 0, 0, 62) +
      struct.pack("<IiiHHIIiiII", 40, w, -h, 1, 8, 0, h * w, 0, 0, 2, 0) + bgr + index.tobytes(), seen)
five = np.zeros((h, w), np.uint16) + (x + (y << 5) + ((x + y) << 10)).astype(np.uint16)
write("five_bits.bmp", b"BM" + struct.pack("<IHHI", 54 + 2 * h * w, 0, 0, 54) +
      struct.pack("<IiiHHIIiiII", 40, w, -h, 1, 16, 0, 2 * h * w, 0, 0, 0, 0) + five.tobytes(),
      np.dstack([(five >> s & 31) * 255 // 31 for s in (10, 5, 0)]))


def tiff(name, pages, seen, photometric, extra=None, tile=None, big=False, planes=False, orientation=1):
    """Pages of height x width x samples (8 or 16 bits), uncompressed, in strips of 5 rows or tiles of (height, width)."""
    word = "<Q" if big else "<I"
    out = bytearray(struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0) if big else struct.pack("<2sHI", b"II", 42, 0))
    link = 8 if big else 4
    for page in pages:
        high, wide, samples = page.shape
        rows, columns = tile or (5, wide)
        offsets, sizes = [], []
        for plane in np.split(page, samples, -1) if planes else [page]:
            for top in range(0, high, rows):
                for left in range(0, wide, columns):
                    piece = plane[top : top + rows, left : left + columns]
                    if tile:
                        missing = (rows - piece.shape[0], columns - piece.shape[1])
                        piece = np.pad(piece, ((0, missing[0]), (0, missing[1]), (0, 0)))
                    offsets.append(len(out))
                    sizes.append(len(piece.tobytes()))
                    out += piece.tobytes()
        fields = {256: [wide], 257: [high], 258: [8 * page.itemsize] * samples, 259: [1], 262: [photometric],
                  274: [orientation], 277: [samples], 284: [2 if planes else 1]}
        fields.update({322: [columns], 323: [rows], 324: offsets, 325: sizes} if tile else
                      {273: offsets, 278: [rows], 279: sizes})
        if extra is not None:
            fields[338] = [extra]
        entries = b""
        for tag, values in sorted(fields.items()):
            content = b"".join(struct.pack("<I", v) for v in values)
            if len(content) > struct.calcsize(word):
                at = len(out)
                out += content
                content = struct.pack(word, at)
            entries += struct.pack("<HH", tag, 4) + struct.pack(word, len(values)) + content.ljust(struct.calcsize(word), b"\0")
        struct.pack_into(word, out, link, len(out))
        out += struct.pack("<Q" if big else "<H", len(fields)) + entries
        link = len(out)
        out += struct.pack(word, 0)
    write(name, bytes(out), seen)


one = gray[..., None]
hidden = np.zeros_like(one)
BLACK, RGB, CMYK, WHITE = 1, 2, 5, 0
tiff("tiles.tif", [rgb], rgb, RGB, tile=(16, 16))
tiff("wide_tiles.tif", [rgb], rgb, RGB, tile=(16, 32))
tiff("tall_tiles.tif", [np.tile(rgb, (3, 1, 1))[:, :20]], np.tile(rgb, (3, 1, 1)), RGB, tile=(32, 16))
tiff("planes.tif", [rgb], rgb, RGB, planes=True)
tiff("plane_tiles.tif", [rgb], rgb, RGB, planes=True, tile=(16, 16))
tiff("big.tif", [rgb], rgb, RGB, big=True)
tiff("white.tif", [255 - one], three(gray), WHITE)
tiff("gray_alpha.tif", [np.dstack([one, hidden])], three(gray), BLACK, extra=2)
tiff("rgba.tif", [np.dstack([rgb, hidden])], rgb, RGB, extra=2)
tiff("multiplied.tif", [np.dstack([rgb // 2, hidden + 128])], np.minimum(255, 255 * (rgb // 2).astype(int) // 128), RGB, extra=1)
tiff("five_samples.tif", [np.dstack([rgb, hidden, one])], rgb, RGB, extra=0)
tiff("deep_rgb.tif", [rgb.astype(np.uint16) << 8 | 200], rgb, RGB)
tiff("pages.tif", [rgb, 255 - rgb], rgb, RGB)
tiff("turned6.tif", [rgb], np.rot90(rgb, -1), RGB, orientation=6)
tiff("cmyk.tif", [np.dstack([255 - rgb, one // 2])], 0, CMYK)
reread("cmyk.tif").tofile("pictures/cmyk.tif.rgb")

Image.fromarray(noisy).save("pictures/noisy.png")
for height, width in [(31, 45), (16, 16), (31, 7), (64, 45), (70, 100), (5, 90), (1, 1)]:
    for mode in ("RGB", "L"):
        resized = Image.fromarray(noisy).convert(mode).resize((width, height), Image.BILINEAR)
        np.asarray(resized).tofile(f"pictures/noisy_{height}x{width}_{mode}.raw")
