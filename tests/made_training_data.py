"""Tiny data sets to train on, of drawn cells: fields by ``prepare``, cells as it writes them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from yolo_leuk import artifacts, pixels
from yolo_leuk.labels import MATURITY
from yolo_leuk.manifest import FILE_NAME, write_manifest
from yolo_leuk.prepare.run import PrepareConfig, run
from yolo_leuk.records import Sample

GLASS = (232, 224, 228)
RED = (214, 150, 152)
NUCLEUS = (92, 50, 140)

CELL_PX_PER_RBC = 20.0


def made_fields(folder: Path, pictures_per_split: int = 6) -> Path:
    """A detection data set: each picture has two white cells, six red ones and a platelet."""
    source = folder / "source" / "drawn"
    (source / "data.yaml").parent.mkdir(parents=True)
    (source / "data.yaml").write_text("names: [WBC, RBC, Platelet]\n", encoding="utf-8")
    generator = np.random.default_rng(0)
    for split in ("train", "val", "test"):
        for kind in ("images", "labels"):
            (source / kind / split).mkdir(parents=True)
        for number in range(pictures_per_split):
            rgb, rows = _drawn_field(generator)
            _write_png(source / "images" / split / f"{split}{number}.png", rgb)
            text = "".join(f"{row[0]} {' '.join(f'{v:.6f}' for v in row[1:])}\n" for row in rows)
            (source / "labels" / split / f"{split}{number}.txt").write_text(text, encoding="utf-8")
    out = folder / "fields"
    run(PrepareConfig(sources=(source,), kind="yolo", task="detect", out=out, workers=1))
    return out


def made_cells(
    folder: Path, per_class: tuple[int, int, int] = (8, 4, 2), level: str = "cell"
) -> Path:
    """A classification data set of five classes; cells by class in train, val and test."""
    generator = np.random.default_rng(0)
    samples = []
    for class_id, label in enumerate(MATURITY.names):
        for split, count in zip(("train", "val", "test"), per_class, strict=True):
            for number in range(count):
                crop = drawn_cell(class_id, generator)
                name = f"{label}-{split}-{number}"
                path = folder / split / label / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                _write_png(path, crop)
                samples.append(_sample(name, label, split, crop))
    write_manifest(folder / FILE_NAME, samples)
    artifacts.write_json(
        folder / "dataset.json",
        {
            "schema": "yolo-leuk/dataset/1",
            "task": "classify",
            "level": level,
            "classes": list(MATURITY.names),
            "blasts": sorted(MATURITY.blasts),
            "sources": [{"title": "drawn cells"}],
            "warnings": ["drawn, not photographed"],
            "manifest_sha256": artifacts.sha256_of_file(folder / FILE_NAME),
        },
    )
    return folder


def drawn_cell(class_id: int, generator: np.random.Generator) -> np.ndarray:
    """A stored crop whose nucleus is the larger the higher its class."""
    side = pixels.window_side(CELL_PX_PER_RBC) + 2 * pixels.rim_px(CELL_PX_PER_RBC)
    crop = np.full((side, side, 3), GLASS, np.uint8)
    centre = (side // 2, side // 2)
    cv2.circle(crop, centre, 22, (180, 150, 200), -1)
    cv2.circle(crop, centre, 6 + 3 * class_id, NUCLEUS, -1)
    return pixels.with_noise(crop, 8, generator)


def in_another_hue(rgb: np.ndarray, degrees: float, saturation: float = 1.0) -> np.ndarray:
    """The picture with its hue turned and its saturation multiplied."""
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = np.rint(hsv[..., 0] + degrees / 2) % 180  # OpenCV's hue is in steps of 2 degrees
    hsv[..., 1] = np.clip(np.rint(hsv[..., 1] * saturation), 0, 255)
    return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)


def _sample(name: str, label: str, split: str, crop: np.ndarray) -> Sample:
    return Sample(
        sample_id=name,
        path=f"{split}/{label}/{name}.png",
        source="drawn/other" if label == "Other" else "drawn/leukemia",
        sha256=f"{name:0>64}",
        width=crop.shape[1],
        height=crop.shape[0],
        label=label,
        subject="",
        group=name,
        split=split,
        fold={"train": 1, "val": 0, "test": -1}[split],
        px_per_rbc=CELL_PX_PER_RBC,
        steps="drawn",
    )


def _drawn_field(
    generator: np.random.Generator,
) -> tuple[np.ndarray, list[tuple[int, float, float, float, float]]]:
    """A field of 200×150 pixels and its rows of class, centre and size in fractions."""
    width, height = 200, 150
    rgb = np.full((height, width, 3), GLASS, np.uint8)
    cells = [(0, 24, NUCLEUS)] * 2 + [(1, 15, RED)] * 6 + [(2, 5, NUCLEUS)]
    places = [(x, y) for y in (28, 75, 122) for x in (28, 76, 124, 172)]
    rows = []
    for (class_id, radius, colour), place in zip(
        cells, generator.permutation(len(places)), strict=False
    ):
        x, y = places[place]
        cv2.circle(rgb, (x, y), radius, colour, -1)
        size = 2 * radius + 1
        rows.append((class_id, (x + 0.5) / width, (y + 0.5) / height, size / width, size / height))
    return pixels.with_noise(_clouded(rgb, generator), 4, generator), rows


def _clouded(rgb: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """With clouds of its own, so that no picture passes for another one of the same field."""
    clouds = cv2.GaussianBlur(generator.normal(0, 1, rgb.shape[:2]), (0, 0), 4)
    clouds *= 25 / clouds.std()
    return np.clip(np.rint(rgb + clouds[..., None]), 0, 255).astype(np.uint8)


def _write_png(path: Path, rgb: np.ndarray) -> None:
    done, buffer = cv2.imencode(".png", rgb[..., ::-1])
    assert done
    path.write_bytes(buffer.tobytes())
