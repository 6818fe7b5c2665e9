#!/usr/bin/env python3
"""All that cris eval measures, computed again by other people's programs from the very maps it scored.

    pip install numpy scipy scikit-learn medpy pysodmetrics
    cris eval RUN --save-maps MAPS -o EVALUATION
    tests/measures/compare_with_python.py EVALUATION MAPS

Prints the largest difference of each measure over images and exits with 1 where one is above its limit. Ties aside (see LIMITS), these
are rounding: maps are f32, sums f64 in another order.
"""
import csv
import json
import os
import sys

import numpy as np
from medpy.metric import binary as medpy
from py_sod_metrics import Emeasure, Smeasure, WeightedFmeasure
from scipy.ndimage import binary_erosion, distance_transform_edt, label
from sklearn.metrics import average_precision_score, f1_score, fbeta_score, jaccard_score, precision_recall_curve
from sklearn.metrics import precision_score, recall_score

LIMIT = 1e-6


def surface(p, g):
    diagonal = float(np.hypot(*g.shape))
    if not p.any() and not g.any():
        return 0, 0, 1
    if not p.any() or not g.any():
        return diagonal, diagonal, 0
    edges = [m ^ binary_erosion(m) for m in (p, g)]
    away = [distance_transform_edt(~edges[1])[edges[0]], distance_transform_edt(~edges[0])[edges[1]]]
    precision, recall = [(d <= max(1, 0.0075 * diagonal)).mean() for d in away]
    return medpy.hd95(p, g), medpy.assd(p, g), 2 * precision * recall / max(precision + recall, 1e-300)


def lesions(p, g):
    eight = np.ones((3, 3))
    (lp, np_), (lg, ng) = label(p, eight), label(g, eight)
    both = p & g
    return ng, len(set(lg[both])), np_ - len(set(lp[both]))


def measures(p, g, threshold):
    s = p.astype(np.float64) >= threshold
    a, b = s.ravel(), g.ravel()
    empty = not a.any() and not b.any()
    one = 1.0 if empty else 0.0
    hd95, assd, boundary = surface(s, g)
    sod = []
    for kind in (Smeasure, Emeasure, WeightedFmeasure):
        m = kind()
        m.step(p.astype(np.float64), g, normalize=False)
        sod.append(m)
    return {
        "dice": f1_score(b, a, zero_division=one), "precision": precision_score(b, a, zero_division=one),
        "recall": recall_score(b, a, zero_division=one), "mse": np.mean((p.astype(np.float64) - b.reshape(p.shape)) ** 2),
        "mse_thresholded": np.mean(a != b), "iou": jaccard_score(b, a, zero_division=one),
        "specificity": recall_score(~b, ~a, zero_division=1.0), "f2": fbeta_score(b, a, beta=2, zero_division=one),
        "hd95": hd95, "assd": assd, "boundary_f": boundary, "s_measure": sod[0].get_results()["sm"],
        "e_measure": sod[1].get_results()["em"]["curve"].mean(), "weighted_f": sod[2].get_results()["wfm"],
        "average_precision": average_precision_score(b, p.ravel()) if b.any() else None,
    }, lesions(s, g)


def main():
    folder, maps = sys.argv[1:3]
    ours = json.load(open(f"{folder}/evaluation.json"))["measures"]
    rows = list(csv.DictReader(open(f"{folder}/per_image.csv")))
    worst, wrong = {}, []

    def compare(name, mine, theirs, where):
        difference = abs(float(mine) - float(theirs))
        if difference >= worst.get(name, (-1, ""))[0]:
            worst[name] = difference, where
        if not difference <= LIMIT:
            wrong.append(f"{name} of {where}: {mine} here, {theirs} there")

    all_p, all_g, sums = [], [], {}
    for row in rows:
        p, g = np.load(f"{maps}/{row['name']}.npy"), np.load(f"{maps}/{row['name']}_mask.npy") >= 0.5
        theirs, (count, found, false) = measures(p, g, ours["threshold"])
        for key, value in theirs.items():
            if value is None:
                assert row[key] == ""
                continue
            compare(key, row[key], value, row["name"])
            sums.setdefault(key, []).append(value)
        for key, value in (("lesions", count), ("lesions_found", found), ("lesions_false", false)):
            compare(key, row[key], value, row["name"])
        all_p.append(p.ravel()), all_g.append(g.ravel())
    for key, values in sums.items():
        compare("mean of " + key, ours["mean"][key], np.mean(values), "all images")
    p, g = np.concatenate(all_p), np.concatenate(all_g)
    compare("pooled average precision", ours["pooled"]["average_precision"], average_precision_score(g, p), "all pixels")
    a = p.astype(np.float64) >= ours["threshold"]
    for key, value in (("dice", f1_score(g, a)), ("iou", jaccard_score(g, a)), ("precision", precision_score(g, a)),
                       ("recall", recall_score(g, a)), ("specificity", recall_score(~g, ~a)), ("f2", fbeta_score(g, a, beta=2))):
        compare("pooled " + key, ours["pooled"][key], value, "all pixels")
    bins = np.minimum((p.astype(np.float64) * 15).astype(int), 14)
    error = sum(abs(p[bins == k].astype(np.float64).sum() - g[bins == k].sum()) for k in range(15)) / len(p)
    compare("calibration error", ours["pooled"]["expected_calibration_error"], error, "all pixels")
    # The stored points are points of scikit-learn's curve, and no other bends away from the line between two of them.
    precision, recall, thresholds = precision_recall_curve(g, p)
    stored = [tuple(map(float, r.values())) for r in csv.DictReader(open(f"{folder}/precision_recall.csv"))]
    at = {t: (x, y) for x, y, t in zip(precision, recall, thresholds.astype(np.float64))}
    for t, x, y in stored:
        compare("curve, precision", x, at[t][0], f"threshold {t}")
        compare("curve, recall", y, at[t][1], f"threshold {t}")
    for name, (difference, where) in sorted(worst.items()):
        print(f"{name:32} {difference:.1e}")
    print(f"{len(rows)} images, {len(stored)} of {len(thresholds)} points of the curve")
    for line in wrong[:20]:
        print("FAILED", line)
    return 1 if wrong else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
