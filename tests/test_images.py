"""Reading image files: a right picture, or one clear line."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageOps

from yolo_leuk.errors import ImageError
from yolo_leuk.image_headers import read_header
from yolo_leuk.images import decode_image, load_image, read_image

ORIENTATION = 0x0112


def coloured(width: int = 48, height: int = 32) -> PillowImage.Image:
    """A smooth picture without any symmetry."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([40 + 3 * x, 30 + 5 * y, 200 - 2 * x - y], axis=2)
    return PillowImage.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def encoded(image: PillowImage.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def saved(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def as_pillow_reads_it(path: Path) -> np.ndarray:
    with PillowImage.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def refusal(path: Path, **options) -> str:
    """The message that a file is refused with; it names the file and is one line."""
    with pytest.raises(ImageError) as caught:
        load_image(path, **options)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def png(width: int, height: int, pixels: bytes) -> bytes:
    def chunk(name: bytes, payload: bytes) -> bytes:
        body = name + payload
        return struct.pack(">I", len(payload)) + body + struct.pack(">I", zlib.crc32(body))

    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
            chunk(b"IDAT", zlib.compress(pixels)),
            chunk(b"IEND", b""),
        )
    )


# --- what cannot be read -----------------------------------------------------------------------


def test_a_missing_file_is_refused(tmp_path):
    assert "No such file" in refusal(tmp_path / "nothing.jpg")


def test_a_folder_in_the_place_of_a_picture_is_refused(tmp_path):
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "device" in refusal(tmp_path / "pipe.jpg")


def test_a_path_that_no_file_can_have_is_refused(tmp_path):
    assert "cannot read" in refusal(tmp_path / "a\0b.jpg")


def test_an_empty_file_is_refused(tmp_path):
    assert "0 bytes" in refusal(saved(tmp_path, "empty.jpg", b""))


def test_a_text_file_named_jpg_is_refused_with_what_it_begins_with(tmp_path):
    message = refusal(saved(tmp_path, "notes.jpg", b"Patient 12, day 8"))
    assert "no JPEG, PNG, TIFF, BMP or WebP" in message
    assert "'Patient '" in message


def test_a_truncated_jpeg_is_refused(tmp_path):
    whole = encoded(coloured(), "JPEG")
    assert "cut off" in refusal(saved(tmp_path, "half.jpg", whole[: len(whole) // 2]))


def test_a_truncated_jpeg_with_a_whole_thumbnail_in_its_exif_data_is_refused(tmp_path):
    thumbnail = encoded(coloured(16, 12), "JPEG")
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + thumbnail
    whole = encoded(coloured(), "JPEG")
    whole = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + whole[2:]
    assert read_header(whole, Path("whole.jpg")).size_wh == (48, 32)
    cut = saved(tmp_path, "cut.jpg", whole[:-40])
    assert b"\xff\xd9" in cut.read_bytes()
    assert "cut off" in refusal(cut)


def test_a_truncated_progressive_jpeg_is_refused(tmp_path):
    whole = encoded(coloured(), "JPEG", progressive=True)
    assert "cut off" in refusal(saved(tmp_path, "half.jpg", whole[: len(whole) * 2 // 3]))


def test_a_truncated_png_is_refused(tmp_path):
    whole = encoded(coloured(), "PNG")
    assert "cut off" in refusal(saved(tmp_path, "half.png", whole[: len(whole) // 2]))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF"])
def test_a_picture_without_its_last_byte_is_refused(tmp_path, kind):
    refusal(saved(tmp_path, f"cut.{kind.lower()}", encoded(coloured(), kind)[:-1]))


def test_a_png_whose_pixels_end_early_is_refused(tmp_path):
    assert "damaged" in refusal(saved(tmp_path, "few.png", png(640, 480, bytes(1000))))


def test_a_png_with_a_flipped_byte_is_refused(tmp_path):
    content = bytearray(encoded(coloured(), "PNG"))
    content[len(content) // 2] ^= 0xFF
    assert "damaged" in refusal(saved(tmp_path, "flipped.png", bytes(content)))


def test_a_picture_of_one_pixel_is_refused(tmp_path):
    message = refusal(saved(tmp_path, "dot.png", encoded(coloured(1, 1), "PNG")))
    assert "1×1 pixels; at least 8×8" in message


def test_a_picture_over_the_pixel_limit_is_refused_with_both_numbers(tmp_path):
    path = saved(tmp_path, "large.png", encoded(coloured(), "PNG"))
    assert "48×32 pixels; at most 1,535 pixels" in refusal(path, max_pixels=48 * 32 - 1)
    assert read_image(path, max_pixels=48 * 32).shape == (32, 48, 3)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path):
    bomb = saved(tmp_path, "bomb.png", png(65_500, 65_500, bytes(10_000)))
    assert "65500×65500 pixels" in refusal(bomb)


@pytest.mark.parametrize("kind", ["JPEG", "BMP", "WEBP", "TIFF"])
def test_the_pixel_limit_holds_for_every_kind(tmp_path, kind):
    path = saved(tmp_path, "large", encoded(coloured(), kind))
    assert "48×32 pixels" in refusal(path, max_pixels=1000)


def test_a_file_larger_than_any_picture_within_the_limit_is_not_even_read(tmp_path):
    slide = tmp_path / "slide.tif"
    with slide.open("wb") as stream:
        stream.truncate(70 << 20)  # a hole: takes no space
    assert "73,400,320 bytes" in refusal(slide, max_pixels=1000)


def test_floating_point_pixels_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "f.tif"), np.full((20, 20), 0.5, np.float32))
    assert "float32" in refusal(tmp_path / "f.tif")


def test_a_12_bit_picture_stored_in_16_bits_is_refused_instead_of_read_as_black(tmp_path):
    cv2.imwrite(str(tmp_path / "dark.png"), np.full((20, 20), 4095, np.uint16))
    assert "4095 of 65535" in refusal(tmp_path / "dark.png")


def test_a_refusal_leaves_nothing_from_opencv_on_standard_error(tmp_path, capfd):
    refusal(saved(tmp_path, "cut.tif", encoded(coloured(), "TIFF")[:-1]))
    assert capfd.readouterr().err == ""


@given(cut=st.integers(0, 10_000))
@settings(deadline=None, max_examples=60)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_no_truncation_is_taken_for_a_whole_picture(kind, cut):
    whole = encoded(coloured(), kind)
    with pytest.raises(ImageError):
        decode_image(whole[: cut % len(whole)], Path("cut"))


@given(
    magic=st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"BM", b"II*\0"]),
    rest=st.binary(max_size=200),
)
@settings(deadline=None)
def test_noise_is_refused_and_nothing_else_happens(magic, rest):
    with pytest.raises(ImageError):
        decode_image(magic + rest, Path("noise"))


# --- what is read, and how ----------------------------------------------------------------------


def test_a_png_that_calls_itself_jpg_is_read(tmp_path):
    path = saved(tmp_path, "really-a-png.jpg", encoded(coloured(), "PNG"))
    assert np.array_equal(read_image(path), np.asarray(coloured()))


def test_a_path_with_spaces_and_letters_of_other_scripts_is_read(tmp_path):
    folder = tmp_path / "präparat 3 – 血液"
    folder.mkdir()
    path = saved(folder, "мазок № 1.png", encoded(coloured(), "PNG"))
    assert np.array_equal(read_image(path), np.asarray(coloured()))


def test_16_bits_are_scaled_to_8(tmp_path):
    pixels = np.asarray(coloured())
    cv2.imwrite(str(tmp_path / "deep.png"), pixels[:, :, ::-1].astype(np.uint16) * 257)
    assert np.array_equal(read_image(tmp_path / "deep.png"), pixels)


def test_grey_becomes_three_equal_channels(tmp_path):
    grey = coloured().convert("L")
    rgb = read_image(saved(tmp_path, "grey.png", encoded(grey, "PNG")))
    assert rgb.shape == (32, 48, 3)
    assert all(np.array_equal(rgb[:, :, c], np.asarray(grey)) for c in range(3))


def test_what_is_transparent_is_laid_on_white(tmp_path):
    image = coloured().convert("RGBA")
    alpha = PillowImage.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 24, 32))
    alpha.paste(128, (24, 0, 36, 32))
    image.putalpha(alpha)
    rgb = read_image(saved(tmp_path, "clear.png", encoded(image, "PNG")))
    paper = PillowImage.new("RGBA", image.size, "white")
    expected = np.asarray(PillowImage.alpha_composite(paper, image).convert("RGB"))
    assert np.all(rgb[:, :24] == 255)
    assert np.max(np.abs(rgb.astype(int) - expected)) <= 1


def test_an_adobe_cmyk_jpeg_keeps_its_colours(tmp_path):
    path = saved(tmp_path, "print.jpg", encoded(coloured().convert("CMYK"), "JPEG", quality=98))
    difference = np.abs(read_image(path).astype(int) - as_pillow_reads_it(path))
    assert difference.max() <= 2
    # Not inverted either, which would be off by far more.
    assert np.abs(read_image(path).astype(int) - np.asarray(coloured())).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGBA", "PNG"), ("RGB", "WEBP")],
)
def test_the_exif_orientation_is_applied(tmp_path, orientation, mode, kind):
    exif = PillowImage.Exif()
    exif[ORIENTATION] = orientation
    image = coloured().convert(mode)
    path = saved(tmp_path, "turned", encoded(image, kind, exif=exif, quality=95))
    rgb = read_image(path)
    expected = as_pillow_reads_it(path)
    assert rgb.shape == expected.shape
    assert np.max(np.abs(rgb.astype(int) - expected)) <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_a_tiff_is_applied_once(tmp_path, orientation):
    content = encoded(coloured(), "TIFF", tiffinfo={ORIENTATION: orientation})
    path = saved(tmp_path, "turned.tif", content)
    assert np.array_equal(read_image(path), as_pillow_reads_it(path))


def test_broken_exif_data_leaves_the_picture_as_stored(tmp_path):
    content = encoded(coloured(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_image(saved(tmp_path, "odd.jpg", content)).shape == (32, 48, 3)


def test_what_a_camera_appends_to_a_jpeg_is_ignored(tmp_path):
    content = encoded(coloured(), "JPEG")
    expected = decode_image(content, Path("whole"))
    path = saved(tmp_path, "long.jpg", content + bytes(100_000))
    assert np.array_equal(read_image(path), expected)


def test_the_hash_is_that_of_the_file(tmp_path):
    import hashlib

    path = saved(tmp_path, "a.png", encoded(coloured(), "PNG"))
    assert load_image(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
