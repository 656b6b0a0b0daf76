"""Fields and small data sets for tests, drawn from discs; no picture of a real data set."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np

from yolo_leuk import geometry, pixels
from yolo_leuk.prepare.pictures.picture import Picture

GLASS, RED, VIOLET = (238, 232, 236), (206, 160, 168), (104, 66, 150)

BAR_STYLES = ("small black on white", "large black on white", "red")


def with_bar(image, style: str):
    """A copy with a scale bar burnt into the lower right corner, as ALL-4 has them."""
    barred = image.copy()
    height, width = image.shape[:2]
    if style == "red":
        cv2.line(barred, (width - 40, height - 10), (width - 6, height - 10), (240, 20, 20), 1)
        for x in (width - 40, width - 6):
            cv2.line(barred, (x, height - 14), (x, height - 6), (240, 20, 20), 1)
        cv2.putText(barred, "100", (width - 32, height - 13), 0, 0.35, (240, 20, 20), 1)
        return barred
    paper, thick = (36, 1) if style.startswith("small") else (44, 2)
    barred[height - 26 :, width - paper :] = 255
    cv2.line(barred, (width - paper + 4, height - 6), (width - 4, height - 6), (0, 0, 0), thick)
    cv2.putText(barred, "200", (width - paper + 6, height - 10), 0, 0.35, (0, 0, 0), 1)
    return barred


def field_of(white=(), red=(), size_wh=(224, 224), seed: int = 0) -> np.ndarray:
    """A slightly noisy field of discs (x, y, radius)."""
    width, height = size_wh
    rgb = np.full((height, width, 3), GLASS, np.uint8)
    for discs, colour in ((red, RED), (white, VIOLET)):
        for x, y, radius in discs:
            cv2.circle(rgb, (x, y), radius, colour, cv2.FILLED)
    return pixels.with_noise(pixels.blurred(rgb, 0.8), 2.0, np.random.default_rng(seed))


def with_dust(rgb: np.ndarray, seed: int) -> np.ndarray:
    """A copy with a pale pattern of its own, so that the same discs are another field."""
    pattern = np.random.default_rng(seed).normal(0, 1, rgb.shape[:2])
    pattern = cv2.GaussianBlur(pattern, (0, 0), 5)
    dust = (12 * pattern / pattern.std())[..., None]
    return np.clip(rgb + dust, 0, 255).astype(np.uint8)


def without_boxes(rgb: np.ndarray, px_per_rbc: float, mask: np.ndarray | None = None) -> Picture:
    """A picture of which only the class as a whole is known."""
    return Picture(rgb, np.zeros((0, 4), np.float32), (), mask, px_per_rbc)


def write_picture(path: Path, rgb: np.ndarray) -> None:
    """Written as its suffix says, also to paths that OpenCV cannot open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, rgb[..., ::-1])[1].tobytes())


ALL4_FIELDS = 9
ALL4_TWIN = "WBC-Pro-0099.jpg"


def all4_tree(folder: Path) -> Path:
    """ALL-4-class in small: nine fields of each class, no two alike, and a twin among the Pro."""
    for class_number, label in enumerate(("Benign", "Early", "Pre", "Pro")):
        for number in range(1, ALL4_FIELDS + 1):
            rng = np.random.default_rng([class_number, number])
            red = [(int(x), int(y), 10) for x, y in rng.integers(10, 170, (6, 2))]
            white = [(40 + 4 * number, 50, 13), (120, 60 + 5 * number, 14)]
            rgb = field_of(white, red, seed=number)
            name = f"WBC {label} ä-{number:03d} (1).jpg" if number % 2 else f"{label}-{number}.jpg"
            style = BAR_STYLES[number % 3]
            write_picture(folder / "Original" / label / name, with_bar(rgb, style))
    first = sorted((folder / "Original" / "Pro").iterdir())[0]
    shutil.copyfile(first, folder / "Original" / "Pro" / ALL4_TWIN)
    return folder


YOLO_WHITE = (150, 130, 36)
YOLO_RED = tuple((x, y, 20) for x in (40, 100, 220, 280) for y in (40, 200))
YOLO_SIZE = (321, 241)


def yolo_tree(folder: Path) -> Path:
    """TXL-PBC in small: fields with a white cell, eight red ones 40 px wide, and boxes."""
    folder.mkdir(parents=True)
    (folder / "data.yaml").write_text("names: [WBC, RBC, Platelets]\n", encoding="utf-8")
    for split, count in (("train", 8), ("val", 3), ("test", 3)):
        for number in range(count):
            seed = number_of(split, number)
            rgb = with_dust(field_of([YOLO_WHITE], YOLO_RED, YOLO_SIZE, seed=seed), seed)
            name = f"{split} größe {number}"
            write_picture(folder / "images" / split / f"{name}.png", rgb)
            labels = folder / "labels" / split / f"{name}.txt"
            labels.parent.mkdir(parents=True, exist_ok=True)
            labels.write_text(yolo_lines(), encoding="utf-8")
    return folder


def number_of(split: str, number: int) -> int:
    return ["train", "val", "test"].index(split) * 100 + number


def yolo_boxes() -> np.ndarray:
    """Corners of the white cell and of the red ones, in this order."""
    discs = np.array([YOLO_WHITE, *YOLO_RED], float)
    x, y, radius = discs.T
    return np.stack([x - radius, y - radius, x + radius, y + radius], axis=1)


def yolo_lines() -> str:
    rows = geometry.cxcywhn_from_xyxy(yolo_boxes(), YOLO_SIZE)
    return "".join(
        f"{min(i, 1)} {' '.join(f'{v:.6f}' for v in row)}\n" for i, row in enumerate(rows)
    )
