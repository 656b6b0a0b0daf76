"""Files are written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import stat

import pytest

from yolo_leuk import artifacts
from yolo_leuk.errors import CardError, DataError, OutputError

NO_RIGHTS_TO_TAKE = not hasattr(os, "geteuid") or os.geteuid() == 0


def test_the_hash_of_a_file_is_the_sha256_of_its_bytes(tmp_path):
    content = os.urandom((1 << 20) + 17)
    (tmp_path / "big.bin").write_bytes(content)
    assert artifacts.sha256_of_file(tmp_path / "big.bin") == hashlib.sha256(content).hexdigest()


def test_a_file_is_written_with_the_folders_above_it(tmp_path):
    path = tmp_path / "a folder" / "ä" / "text.txt"
    artifacts.write_text(path, "µ\n")
    assert path.read_bytes() == "µ\n".encode()


def test_an_error_in_the_middle_leaves_the_old_file_and_no_partial_one(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")

    def write_half() -> None:
        with artifacts.replaced(path) as temporary:
            temporary.write_text("half of the n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "result.txt"
    path.write_text("old")
    with artifacts.replaced(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_lies_beside_the_final_one_and_has_its_suffix(tmp_path):
    with artifacts.replaced(tmp_path / "picture.png") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".png"
        temporary.write_bytes(b"")


@pytest.mark.skipif(os.name != "posix", reason="rights are those of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_file_has_the_rights_that_the_umask_leaves(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        artifacts.write_text(tmp_path / "result.txt", "")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "result.txt").stat().st_mode) == mode


def test_a_folder_that_is_a_file_is_an_output_error_that_names_the_path(tmp_path):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(OutputError) as caught:
        artifacts.write_text(tmp_path / "file" / "result.txt", "")
    assert str(tmp_path / "file" / "result.txt") in str(caught.value)
    assert "--out" in caught.value.hint
    assert (tmp_path / "file").read_text() == "kept"


def test_a_file_that_is_a_folder_is_an_output_error(tmp_path):
    (tmp_path / "result.txt").mkdir()
    with pytest.raises(OutputError, match=r"result\.txt"):
        artifacts.write_text(tmp_path / "result.txt", "")
    assert list(tmp_path.iterdir()) == [tmp_path / "result.txt"]


@pytest.mark.skipif(NO_RIGHTS_TO_TAKE, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_an_output_error(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        artifacts.write_text(folder / "result.txt", "")


def test_a_new_folder_is_whole_or_not_there(tmp_path):
    def write_half() -> None:
        with artifacts.new_folder(tmp_path / "set") as folder:
            (folder / "first.txt").write_text("first")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("is_there", [False, True])
def test_a_new_folder_stands_when_all_of_it_is_written(tmp_path, is_there):
    path = tmp_path / "data sets" / "set"
    if is_there:
        path.mkdir(parents=True)
    with artifacts.new_folder(path) as folder:
        assert folder != path
        (folder / "first.txt").write_text("first")
        assert not (path / "first.txt").exists()
    assert (path / "first.txt").read_text() == "first"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["set", "file"])
def test_a_new_folder_is_not_made_over_anything(tmp_path, name):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "kept.txt").touch()
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match="already holds something"),
        artifacts.new_folder(tmp_path / name),
    ):
        pass
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "kept.txt", "set"]


@pytest.mark.skipif(os.name != "posix", reason="rights are those of POSIX")
def test_a_new_folder_has_the_rights_that_the_umask_leaves(tmp_path):
    before = os.umask(0o022)
    try:
        with artifacts.new_folder(tmp_path / "set"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "set").stat().st_mode) == 0o755


def test_json_keeps_the_order_of_the_keys_and_letters_as_they_are(tmp_path):
    artifacts.write_json(tmp_path / "a.json", {"b": "µm", "a": [1, 2.5, None]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == (
        '{\n  "b": "µm",\n  "a": [\n    1,\n    2.5,\n    null\n  ]\n}\n'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_does_not_know_is_not_written(tmp_path, value):
    with pytest.raises(ValueError, match="JSON"):
        artifacts.write_json(tmp_path / "a.json", {"figure": value})
    assert not list(tmp_path.iterdir())


def test_a_file_of_the_expected_schema_is_read(tmp_path):
    content = {"schema": "yolo-leuk/thing/1", "value": 3}
    artifacts.write_json(tmp_path / "a.json", content)
    assert artifacts.read_json(tmp_path / "a.json", schema="yolo-leuk/thing/1") == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"schema": "yolo-leuk/thing/2"}', "'yolo-leuk/thing/2'"),
        (b'{"value": 3}', "found None"),
        (b"[1, 2]", "found None"),
        (b"{", "not a JSON file"),
        (b"", "not a JSON file"),
        (b"\xff\xfe\x00{", "not a JSON file"),
    ],
)
def test_a_file_that_is_something_else_is_refused_with_its_path(tmp_path, content, message):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        artifacts.read_json(path, schema="yolo-leuk/thing/1")
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_the_caller_chooses_the_error_of_a_missing_file(tmp_path):
    with pytest.raises(CardError, match="No such file"):
        artifacts.read_json(tmp_path / "none.json", schema="x", error=CardError)
