"""Reference values for src/experiments/paper and src/statistics: a small corpus full of awkward rows, by pandas and scipy.

python make.py, with pandas 3.1.1, scipy 1.17.1, numpy 2.4.6 and mpmath 1.4.1; the steps are those of the published code
(EmoCAM-thesis, analysis/global_statistics.py and meta_analysis.py), in its order of joining, de-duplicating and filtering.
"""

import io
import json
import math
import sys

import mpmath
import numpy as np
import pandas as pd
import scipy
from scipy.spatial.distance import pdist, squareform
from scipy.stats import pearsonr, spearmanr

rng = np.random.default_rng(20240714)
EMOTIONS = ["Awe", "Craving", "Empathetic Pain", "Joy"]
OBJECTS = ["Person", "Human face", "Food", "Tree", "Pillow"]
ANNOTATED = ["Joy", "Fear", "Trust"]
METHODS = ["one", "two", "three"]
IMAGES = [f"Run {i % 3}/pic, {i:02}.jpg" for i in range(48)]
T = {"importance": 0.3, "emotion": 0.5, "object": 0.1, "ambiguity": 3}

# Annotations: some images none, some two or three (not side by side), some of images that have no outputs, ambiguity 3 and NaN.
annotations = []
for image in IMAGES[:40] + ["Elsewhere/unknown.jpg"] + IMAGES[5:14] + IMAGES[8:11] + IMAGES[20:26]:
    annotations.append({
        "image": image,
        "emotion": str(rng.choice(ANNOTATED + ["Sadness"])),
        "valence": int(rng.integers(-3, 4)),
        "arousal": int(rng.integers(0, 7)),
        "ambiguity": float(rng.choice([0, 1, 2, 2.5, 3, 5, np.nan])),
    })
annotations = pd.DataFrame(annotations)

# Predictions: not in the order of the annotations, some images without, one image twice with other emotions, confidence exactly .5.
predictions = []
for image in [IMAGES[i] for i in rng.permutation(48)[:42]] + [IMAGES[3]]:
    p = rng.dirichlet([0.35] * 4)
    if rng.random() < 0.1:
        p = np.array([0.5, 0.25, 0.125, 0.125])
    k = int(p.argmax())
    predictions.append([image, EMOTIONS[k], float(p[k]), *map(float, p), float(rng.normal(5, 1.5)), float(rng.normal(5, 1.5))])
columns = ["emonet_" + e.lower().replace(" ", "_") + "_conf" for e in EMOTIONS]
predictions = pd.DataFrame(predictions, columns=["dir_image_path", "emonet_emotion", "emonet_emotion_conf", *columns, "emonet_valence", "emonet_arousal"])

boxes = []
for row in predictions.itertuples():
    for _ in range(int(rng.integers(0, 9))):
        boxes.append([row.dir_image_path, row.emonet_emotion, row.emonet_emotion_conf, 0, str(rng.choice(OBJECTS + ["Car"], p=[.3, .2, .15, .15, .05, .15])), np.nan,
                      *map(float, np.round(rng.uniform(-20, 400, 2), 3)), *map(float, np.round(rng.uniform(5, 200, 2), 3)),
                      float(rng.choice([0.1, 0.3, round(float(rng.uniform(0.005, 1)), 6)], p=[.05, .05, .9]))])
boxes = pd.DataFrame(boxes, columns=["dir_image_path", "emonet_emotion", "emonet_emotion_conf", "image", "detected_object", "id", "x_top_left", "y_top_left", "width", "height", "object_confidence"])


def outputs(method):
    """One method's detections with importances, sorted within each prediction as the published code sorts them."""
    local = np.random.default_rng([7, METHODS.index(method)])
    d = boxes.copy()
    base = np.random.default_rng(99).uniform(0, 1, len(d))
    d["object_importance"] = np.clip(base + local.normal(0, 0.15, len(d)), 0, 1)
    d.loc[local.random(len(d)) < 0.05, "object_importance"] = np.nan
    d.loc[local.random(len(d)) < 0.05, "object_importance"] = 0.3
    d["importance"] = d["object_importance"].where(~(d["object_confidence"] < 0.3), 0.0)
    d["box"] = range(len(d))
    parts = [g.sort_values("importance", ascending=False, kind="stable") for _, g in d.groupby("dir_image_path", sort=False)]
    return pd.concat(parts, ignore_index=True)


def joined(method):
    ann = annotations.rename(columns={"image": "dir_image_path", **{c: "ann_" + c for c in ("emotion", "valence", "arousal", "ambiguity")}})
    emonet = ann[["dir_image_path"]].merge(predictions, how="left", on="dir_image_path")
    yolo = ann[["dir_image_path"]].merge(outputs(method), how="left", on="dir_image_path")
    yolo_ann = yolo.merge(ann, how="left", on="dir_image_path")
    emonet_ann = emonet.merge(ann, how="left", on="dir_image_path")
    yolo = yolo.drop_duplicates(["dir_image_path", "emonet_emotion", "detected_object"], keep="first")
    yolo_ann = yolo_ann.drop_duplicates(["dir_image_path", "ann_emotion", "detected_object"], keep="first")
    yolo = yolo[(yolo.emonet_emotion_conf > T["emotion"]) & (yolo.object_confidence > T["object"]) & (yolo.object_importance > T["importance"])]
    yolo_ann = yolo_ann[(yolo_ann.ann_ambiguity < T["ambiguity"]) & (yolo_ann.object_confidence > T["object"])]
    emonet_ann = emonet_ann[(emonet_ann.ann_ambiguity < T["ambiguity"]) & (emonet_ann.emonet_emotion_conf > T["emotion"])]
    return yolo, yolo_ann, emonet_ann


def binary(df, groups):
    """Features x images, images in order of first appearance."""
    images = list(dict.fromkeys(df.dir_image_path))
    return [[int(((df.dir_image_path == i) & (df[column] == f)).any()) for i in images] for column, names in groups for f in names]


def plain(value):
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value.item() if isinstance(value, np.generic) else value


def correlated(x, y):
    r, rho = pearsonr(x, y), spearmanr(x, y)
    return {"n": len(x), "pearson": [r.statistic, r.pvalue], "spearman": [rho.statistic, rho.pvalue]}


result = {
    "tool": "pandas, scipy, mpmath",
    "version": f"{pd.__version__}, {scipy.__version__}, {mpmath.__version__}",
    "call": "make.py beside this file",
    "emotions": EMOTIONS, "objects": OBJECTS, "annotated": ANNOTATED, "methods": METHODS, "filters": T,
    "annotations": annotations.to_dict("records"), "tables": {},
}
similarity = {}
for method in METHODS:
    yolo, yolo_ann, emonet_ann = joined(method)
    vectors = binary(yolo, [("detected_object", OBJECTS), ("emonet_emotion", EMOTIONS)])
    similarity[method] = 1 - squareform(pdist(np.array(vectors, dtype=bool), "dice"))
    result["tables"][method] = {
        "emotion_object": yolo[["dir_image_path", "emonet_emotion", "detected_object"]].values.tolist(),
        "annotation_object": yolo_ann[["dir_image_path", "ann_emotion", "detected_object"]].values.tolist(),
        "emotion_object_vectors": ["".join(map(str, v)) for v in vectors],
        "annotation_object_vectors": ["".join(map(str, v)) for v in binary(yolo_ann, [("detected_object", OBJECTS), ("ann_emotion", ANNOTATED)])],
        "dice": similarity[method],
        "order": outputs(method)["box"].tolist(),
    }
    if method == "one":
        result["emotion_annotation"] = emonet_ann[["dir_image_path", "emonet_emotion", "ann_emotion"]].values.tolist()
        result["emotion_annotation_vectors"] = ["".join(map(str, v)) for v in binary(emonet_ann, [("emonet_emotion", EMOTIONS), ("ann_emotion", ANNOTATED)])]
        quantities = ["emonet_valence", "ann_valence", "emonet_arousal", "ann_arousal"]
        result["valence"] = correlated(emonet_ann.emonet_valence, emonet_ann.ann_valence)
        result["arousal"] = correlated(emonet_ann.emonet_arousal, emonet_ann.ann_arousal)
        result["quantities_pearson"] = emonet_ann[quantities].corr("pearson").values
        result["quantities_spearman"] = emonet_ann[quantities].corr("spearman").values

# Distances of all measures that scipy has, of the first method's vectors with two more (never, always), and of a set with more vectors
# than elements, which mahalanobis asks for.
NAMES = ["braycurtis", "canberra", "chebyshev", "cityblock", "correlation", "cosine", "dice", "euclidean", "hamming", "jaccard",
         "jensenshannon", "matching", "minkowski", "rogerstanimoto", "russellrao", "seuclidean", "sokalsneath", "sqeuclidean", "yule"]
first = result["tables"]["one"]["emotion_object_vectors"]
sets = [first + ["0" * len(first[0]), "1" * len(first[0])],
        ["".join(map(str, row)) for row in rng.integers(0, 2, (14, 5))]]
result["distances"] = [
    {"vectors": s, **{n: pdist(np.array([list(map(int, v)) for v in s], dtype=bool), n)
                      for n in NAMES + (["mahalanobis"] if len(s) > len(s[0]) else [])}}
    for s in sets
]

mask = np.tril(np.ones_like(similarity["one"]), k=-1).astype(bool)
dyads = pd.DataFrame({m: similarity[m][mask] for m in METHODS})
whole = dyads.dropna()
result["methods_compared"] = {
    "dyads": len(dyads), "complete": len(whole), "rho": dyads.corr("spearman").values,
    "p": [[spearmanr(whole[a], whole[b]).pvalue if a != b else math.nan for b in METHODS] for a in METHODS],
}
json.dump(plain(result), open("corpus.json", "w"), indent=0)
for name in METHODS[:1]:
    text = io.StringIO()
    predictions.to_csv(text)
    open("emonet_outputs.csv", "w").write(text.getvalue())
for name in METHODS:
    outputs(name).drop(columns="box").to_csv(f"yolo_outputs_{name}.csv")

# p of correlations to 40 digits: I_{1-r^2}((n-2)/2, 1/2) as the tail series, exact inputs.
mpmath.mp.dps = 420
cases = []


def p_value(r, n):
    x = (1 - mpmath.mpf(r)) * (1 + mpmath.mpf(r))
    a = mpmath.mpf(n - 2) / 2
    total, term, j = mpmath.mpf(0), mpmath.mpf(1), 0
    while term > total * mpmath.mpf(10) ** -40:
        total += term
        term *= x * (a + j + mpmath.mpf("0.5")) / (a + j + 1)
        j += 1
    return mpmath.mpf(r) * x ** a * mpmath.gammaprod([a + mpmath.mpf("0.5")], [mpmath.mpf("0.5"), a + 1]) * total


for n in (3, 4, 5, 8, 20, 171, 925, 5000):
    for r in (0.02, 0.1, 0.3, 0.5, 0.8, 0.99, 0.999999):
        if n < 5000 or r > 0.05:
            cases.append([r, n, float(p_value(r, n))])
for n in (925, 946, 2000, 25869):
    for power in (290, 300, 306, 308, 310, 315, 320, 323):
        r = math.sqrt(1 - 10 ** (-power / (n / 2 - 1)))
        cases.append([r, n, float(p_value(r, n))])
json.dump({"tool": "mpmath", "version": mpmath.__version__, "call": "make.py: p_value(r, n), r as the double it is, 420 digits", "cases": cases}, open("p_values.json", "w"), indent=0)
sys.stdout.write(f"{len(annotations)} annotations, {len(boxes)} boxes\n")
