"""CIFAR-10 for training: read once from the archive, augmented in batches on the device.

What it makes
    A file cifar10.npz (184 MB) with the 60,000 images as bytes, in the folder given as cache, so
    that the archive is decoded once.  Everything after that is arithmetic on whole batches: crop,
    flip, RandAugment and mixup are done by PyTorch on the device the images lie on, so that no
    worker processes are needed and a GPU is never waiting for pictures.

How it is used
    By train.py, export.py and evaluate.py.  The archive (or a folder) has train/<class>/*.jpg and
    test/<class>/*.jpg, 32x32 RGB.  Classes are numbered in the alphabetical order of their
    folders.

How long it takes
    About half a minute to decode, a second to read the file made of it.
"""

import io
import math
import random
import tarfile
from pathlib import Path

import numpy as np

DEFAULT_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "cifar10-jpeg.tar.xz"
SPLITS = ("train", "test")
PAD = 4
OPERATIONS = ("identity", "autocontrast", "brightness", "colour", "contrast", "sharpness",
              "posterize", "solarize", "rotate", "shear x", "shear y", "shift x", "shift y")
CALIBRATION_SEED = 7


def files_of(data):
    """Yield (path inside the data, bytes) of every JPEG of a folder or tar archive."""
    data = Path(data)
    if data.is_dir():
        for path in data.glob("*/*/*.jpg"):
            yield path.relative_to(data).as_posix(), path.read_bytes()
        return
    with tarfile.open(data) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".jpg"):
                yield member.name, archive.extractfile(member).read()


def decode(data):
    """Return {train_images, train_labels, test_images, test_labels, classes}."""
    from PIL import Image
    found = {split: [] for split in SPLITS}
    for name, content in files_of(data):
        split, label, _ = name.split("/")[-3:]
        image = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
        found[split].append((name, label, image))
    classes = sorted({label for _, label, _ in found["train"]})
    arrays = {"classes": np.array(classes)}
    for split in SPLITS:
        rows = sorted(found[split], key=lambda row: row[0])
        arrays[f"{split}_images"] = np.stack([image for _, _, image in rows])
        arrays[f"{split}_labels"] = np.array([classes.index(label) for _, label, _ in rows])
    return arrays


def load(data, cache):
    """Return the arrays of decode(), images N x 32 x 32 x 3 uint8, through a file in `cache`."""
    path = Path(cache) / "cifar10.npz"
    if not path.exists():
        if not Path(data).exists():
            raise SystemExit(f"{data}: no such folder or archive (--data)")
        arrays = decode(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, **arrays)
        part.rename(path)
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def calibration_images(arrays, count):
    """Training images to calibrate with, always the same ones: count x 32 x 32 x 3 uint8."""
    images = arrays["train_images"]
    chosen = np.random.default_rng(CALIBRATION_SEED).choice(len(images), count, replace=False)
    return images[chosen]


def to_device(images, device):
    """Images N x 32 x 32 x 3 uint8 of NumPy as a tensor N x 3 x 32 x 32 on the device."""
    import torch
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().to(device)


def crop_and_flip(images):
    """Random crops of the images padded by reflection, half of them mirrored; uint8 in and out."""
    import torch
    import torch.nn.functional as F
    count, _, height, width = images.shape
    device = images.device
    padded = F.pad(images.float(), (PAD, PAD, PAD, PAD), mode="reflect")
    shift = torch.randint(0, 2 * PAD + 1, (2, count, 1), device=device)
    rows = shift[0] + torch.arange(height, device=device)
    columns = torch.arange(width, device=device).expand(count, width)
    mirrored = torch.rand(count, 1, device=device) < 0.5
    columns = shift[1] + torch.where(mirrored, width - 1 - columns, columns)
    which = torch.arange(count, device=device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]] \
        .permute(0, 3, 1, 2)


def blended(x, operation, strength):
    """Brightness, colour, contrast and sharpness: x moved from or to a base image."""
    import torch
    import torch.nn.functional as F
    grey = (x * x.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)).sum(1, keepdim=True)
    kernel = x.new_tensor(((1, 1, 1), (1, 5, 1), (1, 1, 1))) / 13.0
    soft = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel.expand(3, 1, 3, 3), groups=3)
    base = torch.zeros_like(x)
    base = torch.where(operation == 3, grey, base)
    base = torch.where(operation == 4, grey.mean((1, 2, 3), keepdim=True), base)
    base = torch.where(operation == 5, soft, base)
    changed = (base + (1.0 + 0.9 * strength) * (x - base)).clamp(0.0, 1.0)
    return torch.where((operation >= 2) & (operation <= 5), changed, x)


def recoloured(x, operation, strength):
    """Autocontrast, posterize and solarize."""
    import torch
    low, high = x.amin((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
    stretched = (x - low) / (high - low).clamp(min=1.0 / 255.0)
    levels = 2.0 ** (8.0 - torch.round(4.0 * strength.abs()))
    coarse = torch.floor(x * 255.0 / 256.0 * levels) / levels
    inverted = torch.where(x >= 1.0 - strength.abs(), 1.0 - x, x)
    x = torch.where(operation == 1, stretched, x)
    x = torch.where(operation == 6, coarse, x)
    return torch.where(operation == 7, inverted, x)


def moved(x, operation, strength):
    """Rotation, shears and shifts; what comes in from outside is grey."""
    import torch
    import torch.nn.functional as F
    count = len(x)
    amount, operation = strength.view(count), operation.view(count)
    zero = torch.zeros_like(amount)
    angle = torch.where(operation == 8, amount * math.radians(30.0), zero)
    matrix = torch.stack((
        angle.cos(), -angle.sin() + torch.where(operation == 9, 0.3 * amount, zero),
        torch.where(operation == 11, 0.9 * amount, zero),
        angle.sin() + torch.where(operation == 10, 0.3 * amount, zero), angle.cos(),
        torch.where(operation == 12, 0.9 * amount, zero)), 1).view(count, 2, 3)
    grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
    result = F.grid_sample(x - 0.5, grid, mode="bilinear", align_corners=False) + 0.5
    return torch.where((operation >= 8).view(count, 1, 1, 1), result, x)


def rand_augment(x, operations, magnitude):
    """RandAugment without equalize: x in [0, 1], magnitude of 30."""
    import torch
    for _ in range(operations):
        shape = (len(x), 1, 1, 1)
        operation = torch.randint(0, len(OPERATIONS), shape, device=x.device)
        sign = 2.0 * torch.randint(0, 2, shape, device=x.device) - 1.0
        strength = sign * (magnitude / 30.0)
        x = moved(recoloured(blended(x, operation, strength), operation, strength),
                  operation, strength)
    return x


def training_batch(images, labels, chosen, augment):
    """Return (x in [0, 1], labels, labels mixed in, share of the first) of the chosen images.

    augment is (RandAugment operations, magnitude, mixup alpha).
    """
    operations, magnitude, alpha = augment
    x = rand_augment(crop_and_flip(images[chosen]) / 255.0, operations, magnitude)
    wanted = labels[chosen]
    if alpha == 0.0:
        return x, wanted, wanted, 1.0
    share = random.betavariate(alpha, alpha)
    return share * x + (1.0 - share) * x.flip(0), wanted, wanted.flip(0), share
