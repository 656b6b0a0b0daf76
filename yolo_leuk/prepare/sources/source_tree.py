"""The files of a source, in a folder or in the zip as it was downloaded, which is read in place.

Nothing is ever unpacked to disk. A name that leads out of the tree, an entry that cannot be read
and a file that would fill the memory become problems. What operating systems leave behind is
passed over without a word: what begins with a dot, ``__MACOSX``, ``Thumbs.db``, ``desktop.ini``.
"""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import takewhile
from pathlib import Path, PurePosixPath

from yolo_leuk.errors import DataError
from yolo_leuk.images import SUFFIXES
from yolo_leuk.prepare.problems import Problem

# A 100-megapixel picture in uncompressed RGB is 300 MB; what is larger is no picture of a data
# set, and each worker holds one file in memory.
MAX_FILE_BYTES = 512 << 20

# A zip bomb: beyond this size, nothing that shows cells is packed so tightly.
_SUSPICIOUS_BYTES = 32 << 20
_SUSPICIOUS_RATIO = 100

_LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_ENCRYPTED = 0x1
_UTF8_NAME = 0x800


@dataclass(frozen=True, order=True)
class SourceFile:
    """One file of a source; only ever read.

    Attributes:
        root: The folder or the zip that it lies in.
        name: Its place below ``root``, with forward slashes.
    """

    root: Path
    name: str

    def __str__(self) -> str:
        return f"{self.root}/{self.name}"

    @property
    def place(self) -> PurePosixPath:
        """``name`` as a path, for its parts, stem and suffix."""
        return PurePosixPath(self.name)

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders that it lies in, from the source's own on, in lower case."""
        return tuple(part.lower() for part in (self.root.name, *self.place.parts[:-1]))

    @property
    def display_name(self) -> str:
        """Its place from the name of its source on, fit to be printed."""
        return _printable(f"{self.root_name}/{self.name}")

    @property
    def root_name(self) -> str:
        """Name of the folder or the zip, also where it was given as ``.``."""
        return self.root.resolve().name

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            DataError: It cannot be read, or has more than ``MAX_FILE_BYTES``.
        """
        try:
            return self._read_plain() if self.root.is_dir() else self._read_packed()
        except (
            OSError,
            EOFError,  # the packed bytes end early
            KeyError,
            NotImplementedError,  # a way of packing that Python does not know
            RuntimeError,  # encrypted
            ValueError,  # a zero byte in the name
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise DataError(f"cannot read {self}: {reason or error}") from error

    def _read_plain(self) -> bytes:
        with (self.root / self.name).open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > MAX_FILE_BYTES:
                raise DataError(f"cannot read {self}: it {_too_large(size)}")
            return stream.read()

    def _read_packed(self) -> bytes:
        archive = _archive(self.root, os.getpid())
        entry = archive.entries[self.name]
        with archive.zip.open(entry) as stream:
            # Not read(): that would unpack all there is, however small the entry says it is.
            return stream.read(entry.file_size)


@dataclass(frozen=True)
class SourceTree:
    """All regular files of a source.

    Attributes:
        root: The folder or the zip.
        files: Sorted by name.
        problems: What lies there and cannot be used, with the reason.
    """

    root: Path
    files: tuple[SourceFile, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """Name of the folder, or of the zip without its suffix."""
        whole = self.root.resolve()
        return whole.stem if whole.suffix.lower() == ".zip" else whole.name

    @cached_property
    def top(self) -> str:
        """The folder that everything lies in, with a slash at its end; empty for the root itself.

        Data sets come in one folder that holds all, and that folder in another.
        """
        if not self.files:
            return ""
        # The files are sorted, so what the first and the last have in common, all have.
        first, last = (file.name.split("/")[:-1] for file in (self.files[0], self.files[-1]))
        common = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
        return "".join(f"{folder}/" for folder, _ in common)

    @cached_property
    def below_top(self) -> dict[str, SourceFile]:
        """Files by their place below ``top``, in the order of ``files``."""
        return {file.name[len(self.top) :]: file for file in self.files}

    @cached_property
    def pictures(self) -> dict[str, SourceFile]:
        """Those of ``below_top`` that are pictures by their suffix."""
        return {
            place: file
            for place, file in self.below_top.items()
            if file.place.suffix.lower() in SUFFIXES
        }


def open_tree(root: Path) -> SourceTree:
    """List a folder or a zip.

    Raises:
        DataError: It is neither, or cannot be listed.
    """
    if root.is_dir():
        return _tree_of(root, _in_folder(root))
    if root.is_file():
        return _tree_of(root, _in_zip(root))
    raise DataError(f"there is no folder or zip {root}", hint="Name the folder of a data set.")


# --- what is common to folders and zips --------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """A name in a folder or a zip, and what is wrong with it; nothing if that is empty."""

    name: str
    wrong: str = ""


def _tree_of(root: Path, found: Iterable[_Found]) -> SourceTree:
    """The tree of what was found: litter passed over, and what cannot be used told."""
    files: list[SourceFile] = []
    problems: list[Problem] = []
    seen: dict[str, str] = {}
    for entry in sorted(found, key=lambda entry: entry.name):
        wrong = _wrong_with_name(entry.name)
        if not wrong and _is_litter(entry.name):
            continue
        wrong = wrong or entry.wrong
        twin = entry.name if wrong else seen.setdefault(_folded(entry.name), entry.name)
        if twin != entry.name:
            wrong = f"its name differs from that of {twin} in case or accents only"
        file = SourceFile(root, entry.name)
        if wrong:
            problems.append(Problem(file.display_name, wrong))
        else:
            files.append(file)
    return SourceTree(root, tuple(files), tuple(problems))


def _is_litter(name: str) -> bool:
    return any(
        part.lower() in _LITTER or (part.startswith(".") and part != ".")
        for part in name.split("/")
    )


def _wrong_with_name(name: str) -> str:
    """Why a name is refused; empty if it is not."""
    parts = name.replace("\\", "/").split("/")
    if ".." in parts:
        return "its name leads out of the tree"
    if not parts[0] or parts[0].endswith(":"):
        return "its name is an absolute path"
    if "\\" in name:
        return "its name has a backslash"
    if not _is_unicode(name):
        return "its name is not UTF-8"
    if any(unicodedata.category(c) == "Cc" for c in name):
        return "its name has control characters"
    return ""


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that Python carries along as surrogates
        return False
    return True


def _folded(name: str) -> str:
    """Equal for names that are one on a system that ignores case or composes accents."""
    return unicodedata.normalize("NFC", name).casefold()


def _printable(name: str) -> str:
    text = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
    return "".join(repr(c)[1:-1] if unicodedata.category(c) == "Cc" else c for c in text)


def _too_large(size: int) -> str:
    return f"has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read"


# --- folders -----------------------------------------------------------------------------------


def _in_folder(root: Path) -> Iterator[_Found]:
    unread: list[OSError] = []
    whole = root.resolve()
    for folder, subfolders, names in os.walk(root, onerror=unread.append):
        linked = [name for name in subfolders if (Path(folder) / name).is_symlink()]
        for name in [*names, *linked]:
            path = Path(folder) / name
            yield _Found(path.relative_to(root).as_posix(), _wrong_with_file(path, whole))
    for error in unread:
        where = Path(error.filename)
        if where == root:
            raise DataError(f"cannot list {root}: {error.strerror}") from error
        yield _Found(where.relative_to(root).as_posix(), f"cannot be listed: {error.strerror}")


def _wrong_with_file(path: Path, root: Path) -> str:
    try:
        if path.is_symlink():
            return _wrong_with_target(path.resolve(strict=True), root)
        facts = path.stat()
    except FileNotFoundError:
        return "is a link to nothing"
    except (OSError, RuntimeError):  # RuntimeError: how Python before 3.13 tells of a circle
        return "cannot be reached"
    if not stat.S_ISREG(facts.st_mode):
        return "is no regular file"
    return _too_large(facts.st_size) if facts.st_size > MAX_FILE_BYTES else ""


def _wrong_with_target(target: Path, root: Path) -> str:
    if not target.is_relative_to(root):
        return "is a link that leads out of the tree"
    return "" if target.is_file() else "is a link to a folder; only links to files are followed"


# --- zips --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Archive:
    """An open zip, and its entries by their names in the tree."""

    zip: zipfile.ZipFile
    entries: dict[str, zipfile.ZipInfo]


@lru_cache(maxsize=4)
def _archive(path: Path, _process: int) -> _Archive:
    """An open zip, one per process: forked workers would share the place that is read from."""
    archive = zipfile.ZipFile(path)
    # Of two entries with one name the first is read; the other is a problem.
    return _Archive(archive, {_name_of(entry): entry for entry in reversed(archive.infolist())})


def _in_zip(root: Path) -> Iterator[_Found]:
    seen: set[str] = set()
    for entry in _entries(root):
        name = _name_of(entry)
        if not name.endswith("/"):
            yield _Found(name, "stands twice in the zip" if name in seen else _wrong_with(entry))
            seen.add(name)


def _entries(root: Path) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(root) as archive:
            return archive.infolist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{root} is neither a folder nor a zip that can be read: {error}",
            hint="Download it again, or unpack it and name the folder.",
        ) from error


def _name_of(entry: zipfile.ZipInfo) -> str:
    """Name of an entry; archivers that do not say that it is UTF-8 often write it all the same."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode()
    except UnicodeError:
        return entry.filename


def _wrong_with(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return "is packed in a way that is not read; unpack the zip and name the folder"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link inside a zip"
    if entry.file_size > MAX_FILE_BYTES:
        return _too_large(entry.file_size)
    is_bomb = entry.file_size > max(_SUSPICIOUS_BYTES, _SUSPICIOUS_RATIO * entry.compress_size)
    return f"unpacks from {entry.compress_size:,} to {entry.file_size:,} bytes" if is_bomb else ""
