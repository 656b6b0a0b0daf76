"""Files that rooms hand to each other: written whole or not at all, named by their SHA-256."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yolo_leuk.errors import DataError, OutputError, YoloLeukError

_CHUNK_BYTES = 1 << 20

PARTIAL = ".partial-"
"""What the names of files that are not yet whole begin with."""


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Hand out a temporary path that becomes ``path`` when the block ends without an error.

    The temporary file lies in the same folder and keeps the suffix, so that the rename is atomic
    and writers that choose a format by suffix still work. Whatever stood at ``path`` stays
    untouched until then.

    Raises:
        OutputError: The folder or the file cannot be written (no right, no space, no folder).
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=PARTIAL, suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # mkstemp makes files that only their owner can read; results are for others too.
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}",
            hint="Choose another folder with --out, or make room or rights there.",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Hand out a temporary folder that becomes ``path`` when the block ends without an error.

    So a folder of this name is whole or not there. After an error the temporary one is removed.

    Args:
        path: Must not exist, or be an empty folder.

    Raises:
        OutputError: Something stands there already, or the folder cannot be written.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise OutputError(
            f"{path} already holds something; a new or empty folder is needed",
            hint="Choose another folder with --out, or remove that one yourself.",
        )
    staging: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f"{PARTIAL}{path.name}-", dir=path.parent))
        yield staging
        staging.chmod(0o777 & ~_umask())
        if path.exists():
            path.rmdir()
        staging.replace(path)
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}",
            hint="Choose another folder with --out, or make room or rights there.",
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically. Raises OutputError."""
    with replaced(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write ``content`` as UTF-8 to ``path`` atomically. Raises OutputError."""
    write_bytes(path, content.encode())


def to_json(content: Any) -> str:
    """JSON with stable key order as given, two spaces, and no NaN (which JSON does not know)."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as JSON to ``path`` atomically. Raises OutputError."""
    write_text(path, to_json(content))


def read_json(path: Path, *, schema: str, error: type[YoloLeukError] = DataError) -> dict[str, Any]:
    """Read a JSON object and check the name of its schema.

    Args:
        path: The file.
        schema: The value that its key ``schema`` must have, for instance ``yolo-leuk/pipeline/1``.
        error: The error class to raise, which decides the exit code.

    Raises:
        error: The file is missing, is not JSON, or has another schema.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as cause:
        raise error(f"cannot read {path}: {cause.strerror or cause}") from cause
    except ValueError as cause:  # broken JSON and bytes that are not UTF-8
        raise error(f"{path} is not a JSON file: {cause}") from cause
    found = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(content, dict) or found != schema:
        raise error(f"{path}: expected a file of schema {schema!r}, found {found!r}")
    return content


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
