"""Writes resize.json and decode.json beside this file with Pillow 13.0.0. Run: python make.py"""

import base64
import io
import json
import os
import random
import struct

import PIL
from PIL import Image, ImageCms, ImageOps

assert PIL.__version__ == "13.0.0", PIL.__version__
HERE = os.path.dirname(os.path.abspath(__file__))
FILTERS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
rng = random.Random(20240731)


def b64(data):
    return base64.b64encode(data).decode()


def picture(width, height):
    """Slopes with noise on them: smooth enough for JPEG, rough enough to tell filters apart."""
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            for value in (255 * x / width, 255 * y / height, 127 + 8 * (x - y)):
                pixels.append(max(0, min(255, int(value + rng.gauss(0, 20)))))
    return Image.frombytes("RGB", (width, height), bytes(pixels))


def write(name, content):
    with open(os.path.join(HERE, name), "w") as file:
        json.dump({"tool": "Pillow", "version": PIL.__version__, "command": "python make.py", **content}, file, indent=1)
        file.write("\n")


def resize_cases():
    sources = {"photo": picture(31, 23), "tall": picture(9, 40), "dot": picture(1, 1), "noise": Image.frombytes("RGB", (17, 13), rng.randbytes(17 * 13 * 3))}
    wanted = [("photo", 12, 9, name, None) for name in FILTERS]
    wanted += [("noise", 20, 15, name, None) for name in FILTERS]
    wanted += [
        ("photo", 31, 7, "bicubic", None),  # one pass only
        ("photo", 14, 23, "bicubic", None),
        ("photo", 31, 23, "bicubic", None),  # a copy
        ("tall", 8, 5, "bicubic", None),  # vertical pass first
        ("tall", 20, 30, "lanczos", None),
        ("tall", 9, 12, "hamming", None),
        ("dot", 5, 3, "bicubic", None),
        ("photo", 1, 1, "lanczos", None),
        ("photo", 12, 12, "bicubic", (3.25, 1.5, 20.75, 19.0)),
        ("photo", 12, 12, "bilinear", (0.1, 0.2, 9.3, 8.7)),
        ("noise", 16, 10, "lanczos", (2.2, 3.3, 5.5, 7.7)),
        ("tall", 6, 4, "bicubic", (1.5, 2.5, 8.25, 39.5)),  # vertical first with a box
        ("noise", 5, 4, "box", (3, 2, 8, 6)),  # a crop
        ("noise", 17, 6, "bicubic", (0, 2, 17, 8)),
    ]
    cases = []
    for source, width, height, name, box in wanted:
        out = sources[source].resize((width, height), FILTERS[name], box)
        cases.append({"source": source, "width": width, "height": height, "filter": name, "box": box, "rgb": b64(out.tobytes())})
    over = []
    for source, width, height, name, canvas, box in [
        # canvas: the picture widened with black to whole pixels; box in it
        ("photo", 10, 10, "bicubic", (-3, 0, 31, 23), (0.5, 2.25, 15.5, 17.25)),
        ("photo", 12, 8, "bilinear", (0, -2, 36, 26), (20.5, 0.5, 35.75, 27.5)),
        ("noise", 6, 6, "lanczos", (-5, -5, 20, 20), (0, 0, 25, 25)),
    ]:
        out = sources[source].crop(canvas).resize((width, height), FILTERS[name], box)
        rect = [box[0] + canvas[0], box[1] + canvas[1], box[2] + canvas[0], box[3] + canvas[1]]
        over.append({"source": source, "width": width, "height": height, "filter": name, "rect": rect, "rgb": b64(out.tobytes())})
    floats = []
    for width, height, out_width, out_height, name in [(13, 13, 20, 17, "bicubic"), (20, 11, 6, 5, "bicubic"), (6, 25, 5, 4, "lanczos"), (7, 5, 7, 9, "bilinear"), (8, 8, 5, 5, "box"), (9, 7, 4, 7, "hamming")]:
        data = struct.pack(f"<{width * height}f", *[rng.gauss(0, 1) for _ in range(width * height)])
        out = Image.frombytes("F", (width, height), data).resize((out_width, out_height), FILTERS[name])
        floats.append({"from": [width, height], "to": [out_width, out_height], "filter": name, "data": b64(data), "out": b64(out.tobytes())})
    boxed = []
    for source, side_x, side_y in [("photo", 32, 32), ("tall", 24, 20)]:
        image = sources[source]
        factor = min(side_x / image.width, side_y / image.height)
        size = (side_x, int(factor * image.height)) if side_x / image.width <= side_y / image.height else (int(factor * image.width), side_y)
        out = Image.new("RGB", (side_x, side_y))
        out.paste(image.resize(size, Image.Resampling.BICUBIC), ((side_x - size[0]) // 2, (side_y - size[1]) // 2))
        boxed.append({"source": source, "width": side_x, "height": side_y, "rgb": b64(out.tobytes())})
    write(
        "resize.json",
        {
            "call": "image.resize((width, height), filter, box); over: image.crop(canvas).resize(..., box); floats: mode F; letterbox: bicubic resize pasted on black",
            "sources": {name: {"width": s.width, "height": s.height, "rgb": b64(s.tobytes())} for name, s in sources.items()},
            "resize": cases,
            "over": over,
            "floats": floats,
            "letterbox": boxed,
        },
    )


def decode_cases():
    image, cases = picture(27, 19), []
    grey = image.convert("L")

    def keep(name, data):
        opened = Image.open(io.BytesIO(data))
        rgb = opened.convert("RGB")
        cases.append({"name": name, "format": opened.format.lower(), "width": rgb.width, "height": rgb.height, "file": b64(data), "rgb": b64(rgb.tobytes())})

    def add(name, source, kind, **options):
        buffer = io.BytesIO()
        source.save(buffer, kind, **options)
        keep(name, buffer.getvalue())
        return buffer.getvalue()

    add("RGB PNG", image, "PNG")
    add("grey PNG", grey, "PNG")
    add("grey and alpha PNG", image.convert("LA"), "PNG")
    add("1-bit PNG", grey.convert("1"), "PNG")
    add("2-bit palette PNG", image.quantize(4), "PNG")
    add("8-bit palette PNG with a transparent colour", image.quantize(60), "PNG", transparency=3)
    covered = image.convert("RGBA")
    covered.putalpha(Image.linear_gradient("L").resize(image.size))
    add("RGBA PNG", covered, "PNG")
    add("PNG with a Lab profile", image, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    add("JPEG 4:4:4", image, "JPEG", quality=90, subsampling=0)
    add("JPEG 4:2:2", image, "JPEG", quality=75, subsampling=1)
    add("JPEG 4:2:0", image, "JPEG", quality=75, subsampling=2)
    add("progressive JPEG", image, "JPEG", quality=60, subsampling=2, progressive=True)
    add("JPEG of RGB components", image, "JPEG", keep_rgb=True)
    add("grey JPEG", grey, "JPEG")
    inks = add("CMYK JPEG", Image.frombytes("CMYK", (12, 9), rng.randbytes(12 * 9 * 4)), "JPEG", quality=95)
    marker = inks.index(b"\xff\xee")
    keep("CMYK JPEG without Adobe's marker", inks[:marker] + inks[marker + 2 + int.from_bytes(inks[marker + 2 : marker + 4], "big") :])
    add("lossy WebP", image, "WEBP", quality=80)
    add("lossless WebP with alpha", covered, "WEBP", lossless=True, exact=True)
    add("GIF", image, "GIF")
    add("animated GIF", image, "GIF", save_all=True, append_images=[image.transpose(Image.Transpose.ROTATE_180)])
    turned = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        buffer = io.BytesIO()
        small = picture(5, 3)
        small.save(buffer, "PNG", exif=exif)
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(buffer.getvalue())))
        turned.append({"orientation": orientation, "file": b64(buffer.getvalue()), "stored": b64(small.tobytes()), "upright": b64(upright.tobytes())})
    write("decode.json", {"call": "Image.open(file).convert('RGB'); turned: ImageOps.exif_transpose", "cases": cases, "turned": turned})


resize_cases()
decode_cases()
