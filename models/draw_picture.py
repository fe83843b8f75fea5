"""Draw the demo's picture: a ship at sea, 256x256 RGB, written as a PNG.

What it is for
    The demo shows the network a picture that belongs to the project, not one of a data set.
    The picture is made of gradients and polygons, smoothed by drawing at four times the size.

How to run it
    python draw_picture.py --out demo.png

It needs Python and NumPy only, and takes about a second.
"""

import argparse
import struct
import zlib
from pathlib import Path

import numpy as np

SIZE = 256
OVERSAMPLING = 4
# Pixel centres of the oversampled canvas, in picture units: 0 to 256 both ways, y downwards.
GRID = (np.arange(SIZE * OVERSAMPLING) + 0.5) / OVERSAMPLING
X, Y = np.meshgrid(GRID, GRID)

HORIZON = 150.0
SKY_TOP = (88, 142, 202)
SKY_LOW = (205, 224, 238)
SEA_FAR = (92, 136, 168)
SEA_NEAR = (28, 66, 104)
FOAM = (214, 228, 236)
HULL = (38, 46, 66)
KEEL = (150, 44, 38)
WHITE = (238, 240, 240)
SHADE = (196, 202, 208)
WINDOW = (52, 66, 84)
FUNNEL = (206, 88, 44)


def blend(canvas, mask, colour):
    """Mix a colour (or an image of colours) into the canvas where the mask says, 0 to 1."""
    weight = np.asarray(mask, float)[..., None]
    canvas += weight * (np.asarray(colour, float) - canvas)


def gradient(top, bottom, start, end):
    """Colours running from top to bottom between two heights."""
    share = np.clip((Y - start) / (end - start), 0.0, 1.0)[..., None]
    return (1.0 - share) * np.array(top, float) + share * np.array(bottom, float)


def polygon(points):
    """The inside of a polygon, by counting the edges to the right of each point."""
    inside = np.zeros(X.shape, bool)
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1]):
        if y0 != y1:
            crossing = x0 + (Y - y0) * (x1 - x0) / (y1 - y0)
            inside ^= ((y0 <= Y) != (y1 <= Y)) & (X < crossing)
    return inside


def box(left, top, right, bottom):
    """The inside of an upright rectangle."""
    return (X >= left) & (X < right) & (Y >= top) & (Y < bottom)


def draw_background(canvas):
    """Sky with soft clouds above the horizon, sea with wave crests below."""
    blend(canvas, np.ones(X.shape), gradient(SKY_TOP, SKY_LOW, 0.0, HORIZON))
    for x, y, width, height in ((52, 40, 46, 11), (84, 48, 40, 9), (204, 62, 44, 9),
                                (176, 68, 36, 7)):
        distance = ((X - x) / width) ** 2 + ((Y - y) / height) ** 2
        blend(canvas, 0.55 * np.exp(-1.5 * distance), WHITE)
    blend(canvas, Y >= HORIZON, gradient(SEA_FAR, SEA_NEAR, HORIZON, SIZE))
    depth = np.clip((Y - HORIZON) / (SIZE - HORIZON), 0.0, 1.0)
    phase = 60.0 * np.sqrt(depth) + 1.2 * np.sin(0.055 * X) + 0.7 * np.sin(0.13 * X + 9.0 * depth)
    crest = np.clip(np.sin(phase), 0.0, 1.0) ** 6
    blend(canvas, 0.28 * crest * (Y >= HORIZON) * np.sqrt(depth), FOAM)


def draw_ship(canvas):
    """Hull, superstructure, funnel, masts, and the foam along the waterline."""
    hull = polygon([(16, 132), (52, 138), (196, 138), (246, 126), (222, 182), (34, 182)])
    blend(canvas, hull, gradient(HULL, (24, 30, 46), 126.0, 176.0))
    blend(canvas, hull & (Y >= 170), KEEL)
    blend(canvas, hull & (Y < 143) & (Y >= 138), WHITE)
    blend(canvas, box(62, 112, 186, 138), WHITE)
    blend(canvas, box(72, 90, 166, 112), SHADE)
    blend(canvas, box(86, 70, 146, 90), WHITE)
    for left in range(70, 180, 11):
        blend(canvas, box(left, 120, left + 6, 127), WINDOW)
    for left in range(79, 160, 11):
        blend(canvas, box(left, 97, left + 7, 104), WINDOW)
    blend(canvas, box(90, 75, 142, 82), WINDOW)
    blend(canvas, polygon([(98, 40), (122, 40), (126, 70), (96, 70)]), FUNNEL)
    blend(canvas, polygon([(98, 40), (122, 40), (123, 48), (97, 48)]), HULL)
    blend(canvas, box(154, 48, 157, 90), SHADE)
    blend(canvas, box(146, 58, 165, 60.5), SHADE)
    blend(canvas, box(212, 96, 214.5, 136), SHADE)
    wave = 180.0 + 1.6 * np.sin(0.21 * X) + 1.0 * np.sin(0.47 * X + 1.0)
    span = np.clip((X - 20) / 16, 0, 1) * np.clip((238 - X) / 16, 0, 1)
    blend(canvas, span * 0.85 * np.exp(-((Y - wave) / 3.2) ** 2), FOAM)


def encode_png(image):
    """Return the bytes of a PNG file of an 8-bit RGB image; each row is filtered by Sub."""
    height, width, _ = image.shape
    left = np.zeros_like(image)
    left[:, 1:] = image[:, :-1]
    rows = np.concatenate(
        [np.ones((height, 1), np.uint8), (image - left).reshape(height, width * 3)], axis=1)

    def chunk(kind, body):
        return (struct.pack(">I", len(body)) + kind + body
                + struct.pack(">I", zlib.crc32(kind + body)))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)) + chunk(b"IEND", b""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="path of the PNG file to write")
    args = parser.parse_args()

    canvas = np.zeros(X.shape + (3,))
    draw_background(canvas)
    draw_ship(canvas)
    fine = canvas.reshape(SIZE, OVERSAMPLING, SIZE, OVERSAMPLING, 3)
    image = np.clip(np.rint(fine.mean(axis=(1, 3))), 0, 255).astype(np.uint8)
    Path(args.out).write_bytes(encode_png(image))


if __name__ == "__main__":
    main()
