"""A folder or a zip as a list of files that can be read, and of those that cannot."""

from __future__ import annotations

import os
import struct
import sys
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_trees import folder_of, reasons, tree_of, write_folder, write_zip, zip_of
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources import source_tree
from yolo_leuk.prepare.sources.source_tree import SourceFile, open_tree

FILES = {"b/2.png": b"two", "a/1.png": b"one", "readme.txt": b"text"}


def names(tree) -> list[str]:
    return [file.name for file in tree.files]


@pytest.mark.parametrize("make", [folder_of, zip_of])
def test_a_folder_and_a_zip_of_the_same_files_are_the_same_tree(tmp_path, make):
    tree = make(tmp_path / "set.zip", FILES)
    assert names(tree) == ["a/1.png", "b/2.png", "readme.txt"]
    assert [file.read() for file in tree.files] == [b"one", b"two", b"text"]
    assert tree.name == "set"
    assert list(tree.pictures) == ["a/1.png", "b/2.png"]
    assert not tree.problems


@pytest.mark.parametrize("make", [folder_of, zip_of])
def test_one_folder_that_holds_all_is_entered_however_deep(tmp_path, make):
    tree = make(tmp_path / "set", {f"set-main/data/{name}": text for name, text in FILES.items()})
    assert tree.top == "set-main/data/"
    assert list(tree.below_top) == ["a/1.png", "b/2.png", "readme.txt"]
    assert tree.below_top["a/1.png"].read() == b"one"


@given(st.lists(st.text("ab/", min_size=1).map(lambda t: f"{t.strip('/')}x"), min_size=1))
def test_top_is_the_longest_folder_that_all_files_share(found):
    tree = tree_of(set(found))
    assert all(file.name.startswith(tree.top) for file in tree.files)
    rests = list(tree.below_top)
    shared = {rest.split("/")[0] for rest in rests}
    assert len(shared) > 1 or "/" not in rests[0]


def test_an_empty_folder_is_an_empty_tree(tmp_path):
    tree = open_tree(tmp_path)
    assert (tree.files, tree.top, tree.pictures) == ((), "", {})


def test_the_folder_that_is_worked_in_has_a_name_too(tmp_path, monkeypatch):
    write_folder(tmp_path / "set", FILES)
    monkeypatch.chdir(tmp_path / "set")
    tree = open_tree(Path())
    assert tree.name == "set"
    assert names(tree) == ["a/1.png", "b/2.png", "readme.txt"]
    assert tree.files[0].display_name == "set/a/1.png"


def test_what_is_neither_a_folder_nor_a_zip_is_refused(tmp_path):
    with pytest.raises(DataError, match="no folder or zip"):
        open_tree(tmp_path / "nothing")
    (tmp_path / "set.zip").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DataError, match="neither a folder nor a zip"):
        open_tree(tmp_path / "set.zip")


def test_what_operating_systems_leave_behind_is_passed_over(tmp_path):
    litter = [
        "__MACOSX/a/._1.png",
        "a/._1.png",
        ".DS_Store",
        "a/Thumbs.db",
        ".git/x",
        "desktop.ini",
    ]
    for make in (folder_of, zip_of):
        tree = make(tmp_path / make.__name__, {"a/1.png": b"", **dict.fromkeys(litter, b"")})
        assert names(tree) == ["a/1.png"]
        assert not tree.problems


def test_a_file_is_named_from_its_source_on_and_never_by_its_whole_path(tmp_path):
    tree = folder_of(tmp_path / "set", FILES)
    problem = problem_of(tree.files[0], f"{tree.files[1]} is better than {tree.files[0]}")
    assert problem == Problem("set/a/1.png", "set/b/2.png is better than set/a/1.png")


# --- hostile folders ---------------------------------------------------------------------------


def test_links_are_followed_to_files_of_the_tree_only(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    root = write_folder(tmp_path / "set", FILES)
    (root / "inside.png").symlink_to(root / "a" / "1.png")
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "up.png").symlink_to("../secret.png")
    (root / "gone.png").symlink_to(root / "nothing")
    (root / "circle.png").symlink_to(root / "circle.png")
    (root / "folder").symlink_to(root / "a")
    (root / "home").symlink_to(tmp_path)
    tree = open_tree(root)
    assert names(tree) == ["a/1.png", "b/2.png", "inside.png", "readme.txt"]
    found = reasons(tree.problems)
    assert found["set/out.png"] == found["set/up.png"] == "is a link that leads out of the tree"
    assert found["set/home"] == "is a link that leads out of the tree"
    assert found["set/gone.png"] == "is a link to nothing"
    assert found["set/circle.png"] == "cannot be reached"
    assert "only links to files" in found["set/folder"]


def test_a_source_may_itself_be_a_link(tmp_path):
    write_folder(tmp_path / "set", FILES)
    (tmp_path / "link").symlink_to(tmp_path / "set")
    tree = open_tree(tmp_path / "link")
    assert len(tree.files) == 3
    assert not tree.problems


def test_a_pipe_is_no_picture(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert reasons(open_tree(tmp_path).problems) == {f"{tmp_path.name}/a.png": "is no regular file"}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names themselves")
def test_names_that_are_no_unicode_or_not_fit_to_print_become_problems(tmp_path):
    for name in (b"gr\xf6\xdfe.png", b"a\nb.png", b"a\\b.png"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).touch()
    tree = open_tree(tmp_path)
    assert not tree.files
    found = reasons(tree.problems)
    where = tmp_path.name
    assert found[rf"{where}/gr\xf6\xdfe.png"] == "its name is not UTF-8"
    assert found[rf"{where}/a\nb.png"] == "its name has control characters"
    assert found[rf"{where}/a\b.png"] == "its name has a backslash"


@pytest.mark.parametrize("pair", [("A.png", "a.png"), ("e\u0301.png", "\u00e9.png")])
def test_of_names_that_differ_in_case_or_accents_only_one_is_taken(tmp_path, pair):
    tree = zip_of(tmp_path / "set.zip", {pair[0]: b"1", pair[1]: b"2"})
    assert len(tree.files) == 1
    (problem,) = tree.problems
    assert problem.reason.endswith("in case or accents only")


def test_a_file_that_would_fill_the_memory_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(source_tree, "MAX_FILE_BYTES", 4)
    for make in (folder_of, zip_of):
        tree = make(tmp_path / make.__name__, {"a.png": b"12345", "b.png": b"1234"})
        assert names(tree) == ["b.png"]
        assert "has 5 bytes; at most 4" in tree.problems[0].reason
    with pytest.raises(DataError, match="has 5 bytes"):
        SourceFile(tmp_path / "folder_of", "a.png").read()


def test_a_file_that_went_away_is_an_error_that_names_it(tmp_path):
    for make in (folder_of, zip_of):
        tree = make(tmp_path / make.__name__, FILES)
        with pytest.raises(DataError, match=r"cannot read .*nothing\.png"):
            SourceFile(tree.root, "nothing.png").read()


# --- hostile zips ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.png", "leads out of the tree"),
        ("a/../../evil.png", "leads out of the tree"),
        ("..\\evil.png", "leads out of the tree"),
        ("/etc/evil.png", "an absolute path"),
        ("C:/evil.png", "an absolute path"),
        ("C:\\evil.png", "an absolute path"),
        ("a\\evil.png", "a backslash"),
        ("a\x1b[2J.png", "control characters"),
    ],
)
def test_a_name_in_a_zip_that_leads_elsewhere_is_a_problem(tmp_path, name, reason):
    tree = zip_of(tmp_path / "set.zip", {"ok.png": b"", name: b""})
    assert names(tree) == ["ok.png"]
    (problem,) = tree.problems
    assert reason in problem.reason
    assert problem.file.startswith("set.zip/")
    assert problem.file.isprintable()


def test_nothing_is_written_beside_a_zip_that_is_read(tmp_path):
    tree = zip_of(tmp_path / "set.zip", {"a.png": b"1", "../evil.png": b"2"})
    assert tree.files[0].read() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["set.zip"]


def test_an_encrypted_entry_is_a_problem(tmp_path):
    path = write_zip(tmp_path / "set.zip", {"a.png": b"1"})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert reasons(open_tree(path).problems) == {"set.zip/a.png": "is encrypted"}


def test_a_link_inside_a_zip_is_a_problem(tmp_path):
    link = zipfile.ZipInfo("a.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert reasons(open_tree(tmp_path / "set.zip").problems) == {
        "set.zip/a.png": "is a link inside a zip"
    }


def test_an_entry_packed_in_a_rare_way_is_a_problem(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.png", b"1")
    (problem,) = open_tree(tmp_path / "set.zip").problems
    assert "unpack the zip" in problem.reason


def test_a_zip_bomb_is_a_problem(tmp_path):
    path = tmp_path / "set.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.png", "w") as stream,
    ):
        for _ in range(40):
            stream.write(bytes(1 << 20))
    assert path.stat().st_size < 100_000
    (problem,) = open_tree(path).problems
    assert problem.reason.endswith("to 41,943,040 bytes")


def test_an_entry_that_lies_about_its_size_is_unpacked_no_further_than_it_says(tmp_path):
    """Forty megabytes of zeros that say they are ten bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(40 << 20)) + packer.flush()
    head = struct.pack("<5HIIIHH", 20, 0, 8, 0, 0, zlib.crc32(bytes(10)), len(packed), 10, 5, 0)
    place = struct.pack("<HHHII", 0, 0, 0, 0, 0)
    local = b"PK\x03\x04" + head + b"a.png" + packed
    central = b"PK\x01\x02" + struct.pack("<H", 20) + head + place + b"a.png"
    end = b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, 1, 1, len(central), len(local), 0)
    (tmp_path / "set.zip").write_bytes(local + central + end)
    (file,) = open_tree(tmp_path / "set.zip").files
    assert file.read() == bytes(10)


def test_a_damaged_entry_is_an_error_that_names_it(tmp_path):
    path = write_zip(tmp_path / "set.zip", {"a.png": os.urandom(1000)})
    content = bytearray(path.read_bytes())
    content[300] ^= 255
    path.write_bytes(content)
    (file,) = open_tree(path).files
    with pytest.raises(DataError, match=r"cannot read .*a\.png"):
        file.read()


def test_of_two_entries_of_one_name_the_first_is_read_and_the_other_told(tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("a.png", b"first")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.png", b"second")
    tree = open_tree(tmp_path / "set.zip")
    assert [file.read() for file in tree.files] == [b"first"]
    assert reasons(tree.problems) == {"set.zip/a.png": "stands twice in the zip"}


def test_names_in_utf8_that_do_not_say_so_are_read_as_utf8(tmp_path):
    path = write_zip(tmp_path / "set.zip", {"größe/ä.png": b"1"})
    content = path.read_bytes()
    for magic, offset in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        place = content.index(magic) + offset
        content = content[:place] + bytes([content[place] & ~8]) + content[place + 1 :]
    path.write_bytes(content)
    (file,) = open_tree(path).files
    assert file.name == "größe/ä.png"
    assert file.read() == b"1"


def _read(file: SourceFile) -> bytes:
    return file.read()


def test_workers_read_from_one_zip_at_once(tmp_path):
    files = {f"{number}.bin": bytes([number]) * 20_000 for number in range(60)}
    tree = zip_of(tmp_path / "set.zip", files)
    tree.files[0].read()  # the handle that workers would share
    with ProcessPoolExecutor(3) as pool:
        for file, content in zip(tree.files, pool.map(_read, tree.files), strict=True):
            assert content == files[file.name]
