"""Label files: text, tables and XML, wherever they lie."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree

from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources.source_tree import SourceFile


def read_text(file: SourceFile) -> str:
    """A UTF-8 file, without its byte order mark. Raises DataError."""
    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 text: {error}") from error


def read_table(file: SourceFile) -> list[dict[str, str]]:
    """Rows of a CSV file by column name.

    Columns may be parted by commas, semicolons or tabs; their names are lower-cased. Values have
    no blanks around them, and are empty where a row is too short.

    Raises:
        DataError: It cannot be read, has no line, or has two columns of one name.
    """
    text = read_text(file)
    head = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=head.count))
    try:
        columns = [name.strip().lower() for name in next(rows)]
        if len(set(columns)) != len(columns):
            raise DataError(f"{file}: two columns have one name among {', '.join(columns)}")
        return [
            {name: row[i].strip() if i < len(row) else "" for i, name in enumerate(columns)}
            for row in rows
            if any(value.strip() for value in row)
        ]
    except StopIteration:
        raise DataError(f"{file} is empty") from None
    except csv.Error as error:
        raise DataError(f"{file} is no table: {error}") from error


def parse_xml(content: bytes, file: SourceFile) -> ElementTree.Element:
    """The root of an XML document; ``file`` is only named in errors.

    Raises:
        DataError: It is no XML, or declares entities, with which a few bytes can fill the memory.
    """
    if b"<!ENTITY" in content.replace(b"\0", b""):
        raise DataError(f"{file} declares XML entities, which no label file needs")
    try:
        return ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{file} is no XML that can be read: {error}") from error
