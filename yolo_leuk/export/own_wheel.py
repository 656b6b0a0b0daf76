"""The wheel of this very package, packed from where it is installed: no build tool, no network."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from yolo_leuk import artifacts, shipped
from yolo_leuk.errors import ExportError

NAME = "yolo_leuk"
_TAG = "py3-none-any"
_WHEEL = f"Wheel-Version: 1.0\nGenerator: yolo-leuk\nRoot-Is-Purelib: true\nTag: {_TAG}\n"


def write_own_wheel(folder: Path) -> Path:
    """Write ``yolo_leuk-<version>-py3-none-any.whl``; the same files give the same bytes.

    Args:
        folder: Where to.

    Raises:
        ExportError: The package is not installed, so its metadata is nowhere.
        OutputError: The file cannot be written.
    """
    try:
        metadata = importlib.metadata.distribution("yolo-leuk")
    except importlib.metadata.PackageNotFoundError as error:
        raise ExportError(
            "the package is not installed, so no wheel of it can be made",
            hint="pip install . in its checkout",
        ) from error
    path = folder / f"{NAME}-{metadata.version}-{_TAG}.whl"
    with artifacts.replaced(path) as temporary:
        _pack(temporary, dict(_files(metadata)), f"{NAME}-{metadata.version}.dist-info")
    return path


def _files(metadata: importlib.metadata.Distribution) -> Iterator[tuple[str, bytes]]:
    """Every file by its name in the wheel."""
    package = Path(shipped.__file__).parent
    for folder, name in (
        (package, NAME),
        # In a checkout they lie beside the package, in an installed wheel inside.
        (shipped.weights_folder(), f"{NAME}/weights"),
        (shipped.samples_folder(), f"{NAME}/samples"),
    ):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes()
    info = f"{NAME}-{metadata.version}.dist-info"
    for name in ("METADATA", "entry_points.txt", "licenses/LICENSE"):
        text = metadata.read_text(name)
        if text is not None:
            yield f"{info}/{name}", text.encode()
    yield f"{info}/WHEEL", _WHEEL.encode()


def _pack(path: Path, files: dict[str, bytes], info: str) -> None:
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(_entry(name), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            rows.writerow([name, f"sha256={digest.decode()}", len(content)])
        rows.writerow([f"{info}/RECORD", "", ""])
        archive.writestr(_entry(f"{info}/RECORD"), record.getvalue())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # of 1980, so that the bytes tell nothing of today
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
