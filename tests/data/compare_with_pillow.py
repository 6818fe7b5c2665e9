#!/usr/bin/env python3
"""Decodes every picture of some folders with cris and with Pillow and compares the pixels.

  compare_with_pillow.py CRIS FOLDER...        (Debian: python3-pil, python3-numpy)

Pillow's picture is turned by its EXIF or TIFF tag, loses its transparency (convert("RGB")), and of 16 bits a sample keeps
the high 8 of those that it uses, as data/image.h says. Prints a line for every picture that is not equal, then a table:
  equal      the same pixels
  rounded    no pixel differs by more than 1 of 255
  refused    cris refuses what Pillow reads: the message must be true, so read it
  neither    both refuse
  only cris  Pillow refuses or knows no colours for it (Lab, fractions, 32 bits)
  wrong      the pixels or the size differ
Ends with status 1 if anything is wrong.
"""
import collections
import os
import shutil
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from PIL import Image, ImageOps

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
warnings.simplefilter("ignore")
Image.MAX_IMAGE_PIXELS = 1 << 26


def eight_bits(samples):
    samples = np.asarray(samples).astype(np.int64)
    brightest = samples.max(initial=0)
    return (samples >> (8 if brightest > 0xFFF else 4 if brightest > 0xFF else 0)).astype(np.uint8)


def with_pillow(path):
    """height x width x 3 bytes; None if Pillow has no such pixels."""
    try:
        image = Image.open(path)
        kind = image.format
        image.load()
        image.info.pop("XML:com.adobe.xmp", None)  # cris looks at EXIF and TIFF tags only
        image.info.pop("xmp", None)
        if "Raw profile type exif" in image.info:
            image.info.pop("exif", None)
            image.info.pop("Raw profile type exif", None)
        if kind != "TIFF":  # which load() turns
            image = ImageOps.exif_transpose(image)
        if image.mode == "F" or (image.mode == "I" and kind != "PNG") or image.mode == "LAB":
            return None
        if image.mode.startswith("I"):
            return np.repeat(eight_bits(image)[..., None], 3, -1)
        colours = np.array(image.convert("RGB"))
        if image.mode == "P":  # without a colour in the palette: black, where versions of Pillow differ
            colours[np.asarray(image) >= len(image.getpalette("RGB")) // 3] = 0
        return colours
    except Exception:
        return None


def with_cris(program, path, folder):
    """(pixels, message): one of them None."""
    shutil.rmtree(folder, ignore_errors=True)
    extension = os.path.splitext(path)[1].lower()
    for part in ("images", "masks"):
        os.makedirs(f"{folder}/in/{part}")
    picture = f"{folder}/in/images/x{extension}"
    shutil.copyfile(path, picture)
    # A mask of another size makes cris say which size it sees.
    Image.new("L", (1, 1), 255).save(f"{folder}/in/masks/x.png")

    def prepare(width, height):
        command = [program, "data", "prepare", folder + "/in", "-o", folder + "/out", "--threads", "1"]
        return subprocess.run(command + ["--width", str(width), "--height", str(height)], capture_output=True, timeout=300)

    ended = prepare(1, 1)
    message = ended.stderr.decode(errors="replace").strip()
    if ended.returncode != 0:
        words = message.split(" its image ")
        if len(words) < 2:
            return None, message.replace(picture, os.path.basename(path))
        words = words[1].replace(picture, "").split()
        width, height = int(words[1]), int(words[3])
        Image.new("L", (width, height), 255).save(f"{folder}/in/masks/x.png")
        ended = prepare(width, height)
        if ended.returncode != 0:
            return None, ended.stderr.decode(errors="replace").strip()
    return np.asarray(Image.open(folder + "/out/images/x.png").convert("RGB")), None


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, counts = os.path.realpath(sys.argv[1]), collections.defaultdict(collections.Counter)
    work = tempfile.mkdtemp()
    for folder in sys.argv[2:]:
        paths = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
        for path in sorted(p for p in paths if p.lower().endswith(EXTENSIONS)):
            reference = with_pillow(path)
            pixels, message = with_cris(program, path, work + "/set")
            if pixels is None:
                result = "neither" if reference is None else "refused"
            elif reference is None:
                result, message = "only cris", ""
            elif pixels.shape != reference.shape:
                result, message = "wrong", f"{pixels.shape} and Pillow {reference.shape}"
            else:
                worst = int(np.abs(pixels.astype(int) - reference.astype(int)).max(initial=0))
                result = "equal" if worst == 0 else "rounded" if worst == 1 else "wrong"
                message = f"by {worst}"
            counts[folder][result] += 1
            if result != "equal":
                print(f"{result}\t{os.path.relpath(path, folder)}\t{message}", flush=True)
    shutil.rmtree(work)
    results = ("equal", "rounded", "refused", "neither", "only cris", "wrong")
    print("\t".join(("tried",) + results + ("folder",)))
    for folder in sys.argv[2:]:
        count = counts[folder]
        print("\t".join(str(n) for n in (sum(count.values()), *(count[r] for r in results), folder)))
    sys.exit(any(count["wrong"] for count in counts.values()))


if __name__ == "__main__":
    main()
