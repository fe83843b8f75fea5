"""Train a network, or a variant of one, on CIFAR-10.

What it makes
    In OUT/NAME: float.pt (the network in float), folded.pt (the one to export: batch
    normalization folded, int8 learned where that was needed), train.log, curve.csv and
    result.json.  export.py makes ONNX and TFLite files of folded.pt.

    teacher                      a wide residual network to distil from (for a GPU)
    mobilenetv2, vit             dense, from scratch
    mobilenetv2_24, vit_24       2:4 along the input channels: mask, then fine-tune
    mobilenetv2_14, vit_14       1:4: masks of 3:4, 2:4 and 1:4 one after the other
    mobilenetv2_cb4, vit_cb4     16 centroids a layer, fine-tuned
    all                          all of them, in this order (the teacher on a GPU only)

    A variant starts from the dense network's float.pt.  Whoever has a teacher learns from it:
    the teacher if OUT has one, else for the ViT the MobileNetV2, and for a variant its dense
    network.

    After training, int8 is tried by fake quantization on training images; if it costs more than
    half a point there, the network is trained on with it (--int8 always or never decides
    otherwise).  The test images choose nothing: the network kept is the moving average of the
    weights after the last step.

How to run it
    python3 models/train/train.py NAME... [--out build/train] [--time-limit MINUTES]

    --time-limit stops this command in time, with a checkpoint; the same command goes on from it
    (exit status 3 says that it has to).  --budget bounds the training of one phase over all
    commands: the learning rate falls over whichever of epochs and budget runs out first.  A
    finished phase is not repeated.  The seeds are fixed; runs that a budget cuts short depend on
    the machine's speed, and sums of several threads or of a GPU round differently.

How long it takes
    See README.md beside this file.
"""

import argparse
import copy
import csv
import json
import math
import platform
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

import codebook
import data as cifar
import nets
import qat
import sparse

NAMES = ("mobilenetv2", "mobilenetv2_24", "mobilenetv2_14", "mobilenetv2_cb4",
         "vit", "vit_24", "vit_14", "vit_cb4")
KEEP = {"24": 2, "14": 1}
SMOOTHING = 0.1
WARMUP = 0.03
AVERAGE = 0.998
TEMPERATURE = 2.0
CALIBRATION_IMAGES = 1000
TRIAL_IMAGES = 5000
TRIAL_LOSS = 0.005
COMPILED_EPOCHS = 100
PAUSED = 3


@dataclass
class Phase:
    """One training: epochs on a GPU and on a CPU, and how."""
    gpu_epochs: int
    cpu_epochs: int
    optimizer: str
    rate: float
    decay: float = 0.0
    clip: float = 1.0
    taught: float = 0.0
    augment: tuple = (1, 5, 0.0)
    exact: bool = False


# RandAugment operations, their magnitude, mixup: what long trainings want is too much for short.
LIGHT, FULL, FULL_EPOCHS = (1, 5, 0.0), (2, 9, 0.2), 60
# Rates are for batches of 128 (SGD, in proportion) and 512 (Adam, by the square root).
PHASES = {
    ("teacher", "float"): Phase(40, 30, "sgd", 0.05, 5e-4, 5.0, 0.0, LIGHT),
    ("mobilenetv2", "float"): Phase(160, 45, "sgd", 0.08, 3e-4, 5.0, 0.7, LIGHT),
    ("mobilenetv2", "sparse"): Phase(60, 15, "sgd", 0.03, 2e-4, 5.0, 0.7, LIGHT),
    ("mobilenetv2", "codebook"): Phase(20, 4, "adam", 3e-4, 0.0, 1.0, 0.7, LIGHT, True),
    ("mobilenetv2", "int8"): Phase(10, 2, "adam", 1e-4, 0.0, 1.0, 0.7, LIGHT, True),
    ("vit", "float"): Phase(200, 40, "adam", 1e-3, 0.05, 1.0, 0.7, FULL),
    ("vit", "sparse"): Phase(80, 12, "adam", 6e-4, 0.05, 1.0, 0.7, FULL),
    ("vit", "codebook"): Phase(20, 3, "adam", 2e-4, 0.0, 1.0, 0.7, FULL, True),
    ("vit", "int8"): Phase(10, 2, "adam", 5e-5, 0.0, 1.0, 0.7, FULL, True),
}
CENTROID_RATE = 0.05


class Paused(Exception):
    """The time limit of this command."""


class Log:
    """Prints lines and adds them to a file."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")

    def __call__(self, line):
        print(line, flush=True)
        print(line, file=self.file, flush=True)


class Run:
    """What all trainings of one command share."""

    def __init__(self, args):
        self.args = args
        self.out = Path(args.out)
        self.device = torch.device(pick_device(args.device))
        self.gpu = self.device.type == "cuda"
        self.bf16 = args.bf16 == "on" or args.bf16 == "auto" and has_bf16(self.device.type)
        self.deadline = time.monotonic() + 60.0 * args.time_limit
        self.batch = args.batch or (512 if self.gpu else 128)
        if args.threads:
            torch.set_num_threads(args.threads)
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
        arrays = cifar.load(args.data, args.cache)
        limits = {"train": args.limit_train, "test": args.limit_test}
        for split, limit in limits.items():
            order = torch.randperm(len(arrays[f"{split}_labels"]),
                                   generator=torch.Generator().manual_seed(0)).numpy()[:limit]
            if limit is None:
                order = slice(None)
            setattr(self, f"{split}_images",
                    cifar.to_device(arrays[f"{split}_images"][order], self.device))
            setattr(self, f"{split}_labels",
                    torch.from_numpy(arrays[f"{split}_labels"][order]).long().to(self.device))
        chosen = cifar.calibration_images(arrays, CALIBRATION_IMAGES)
        self.calibration = cifar.to_device(chosen, self.device)

    def test(self, net):
        return accuracy(net, self.test_images, self.test_labels)

    def trial(self, net):
        apart = max(1, len(self.train_images) // TRIAL_IMAGES)
        return accuracy(net, self.train_images[::apart], self.train_labels[::apart])


def pick_device(wanted):
    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


def has_bf16(kind):
    """Whether the device multiplies bfloat16 faster than float32."""
    return kind == "cuda" or getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()


def accuracy(net, images, labels):
    """Top-1 in float32."""
    net.eval()
    hits = 0
    with torch.no_grad():
        for batch, wanted in zip(images.split(500), labels.split(500)):
            batch = (batch / 255.0).contiguous(memory_format=torch.channels_last)
            hits += (net(batch).argmax(1) == wanted).sum()
    return int(hits) / len(images)


def learning_rate(progress):
    """Linear warm-up, then a half cosine to zero; progress runs from 0 to 1."""
    if progress < WARMUP:
        return progress / WARMUP
    return 0.5 * (1.0 + math.cos(math.pi * (progress - WARMUP) / (1.0 - WARMUP)))


def make_optimizer(net, phase, batch):
    """No weight decay for vectors, positions and centroids."""
    centroids = codebook.centroids(net)
    special = {id(parameter) for parameter in centroids}
    groups = {True: [], False: []}
    for name, parameter in net.named_parameters():
        if id(parameter) not in special:
            groups[parameter.dim() > 1 and name != "position"].append(parameter)
    scale = batch / 128.0 if phase.optimizer == "sgd" else math.sqrt(batch / 512.0)
    settings = [{"params": groups[True], "weight_decay": phase.decay, "peak": phase.rate * scale},
                {"params": groups[False], "weight_decay": 0.0, "peak": phase.rate * scale}]
    if centroids:
        settings.append({"params": centroids, "weight_decay": 0.0, "peak": CENTROID_RATE})
    if phase.optimizer == "sgd":
        return torch.optim.SGD(settings, lr=0.0, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(settings, lr=0.0, betas=(0.9, 0.99))


def loss_of(logits, first, second, share, taught, lesson):
    """Cross entropy with smoothed labels, mixed labels, and a share of the teacher's opinion."""
    loss = share * F.cross_entropy(logits, first, label_smoothing=SMOOTHING)
    if share < 1.0:
        loss = loss + (1.0 - share) * F.cross_entropy(logits, second, label_smoothing=SMOOTHING)
    if lesson is None:
        return loss
    opinion = F.kl_div(F.log_softmax(logits / TEMPERATURE, 1),
                       F.log_softmax(lesson / TEMPERATURE, 1),
                       reduction="batchmean", log_target=True)
    return (1.0 - taught) * loss + taught * TEMPERATURE ** 2 * opinion


class Fit:
    """One phase: trains `net` in place and ends with `shadow`, the average of its weights."""

    def __init__(self, run, folder, name, phase, net, teacher, log, on_progress=None):
        self.run, self.folder, self.name, self.phase, self.log = run, folder, name, phase, log
        self.net = net.to(run.device, memory_format=torch.channels_last)
        self.teacher = teacher if phase.taught else None
        self.on_progress = on_progress
        default = phase.gpu_epochs if run.gpu else phase.cpu_epochs
        short = name in ("codebook", "int8")
        wanted = run.args.finish_epochs if short else run.args.epochs
        self.epochs = default if wanted is None else wanted
        self.augment = LIGHT if self.epochs < FULL_EPOCHS else phase.augment
        self.steps = max(1, len(run.train_images) // run.batch)
        self.shadow = copy.deepcopy(self.net)
        self.optimizer = make_optimizer(self.net, phase, run.batch)
        self.amp = run.bf16 and not phase.exact
        self.compiled = self.net
        self.step, self.spent = 0, 0.0
        self.path = folder / "checkpoint.pt"
        long = run.gpu and self.epochs >= COMPILED_EPOCHS
        if run.args.compile == "on" or run.args.compile == "auto" and long:
            self.compile()

    def save(self):
        state = {"name": self.name, "step": self.step, "spent": self.spent, "sums": self.sums,
                 "net": self.net.state_dict(), "shadow": self.shadow.state_dict(),
                 "optimizer": self.optimizer.state_dict(), "random": random.getstate(),
                 "torch": torch.get_rng_state(),
                 "cuda": torch.cuda.get_rng_state() if self.run.gpu else None}
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        part.rename(self.path)

    def resume(self):
        if not self.path.exists():
            return
        state = torch.load(self.path, map_location="cpu", weights_only=False)
        if state["name"] != self.name:
            return
        self.step, self.spent = state["step"], state["spent"]
        self.sums = state["sums"].to(self.run.device)
        self.net.load_state_dict(state["net"])
        self.shadow.load_state_dict(state["shadow"])
        self.optimizer.load_state_dict(state["optimizer"])
        random.setstate(state["random"])
        torch.set_rng_state(state["torch"])
        if state["cuda"] is not None and self.run.gpu:
            torch.cuda.set_rng_state(state["cuda"])
        self.log(f"{self.name}: going on at epoch {self.step / self.steps:.2f}")

    def order(self, epoch):
        generator = torch.Generator().manual_seed(1000 * self.run.args.seed + epoch)
        return torch.randperm(len(self.run.train_images), generator=generator).to(self.run.device)

    def compile(self):
        """Compile the network and try it; without the compiler if that fails."""
        run = self.run
        state = {name: value.clone() for name, value in self.net.state_dict().items()}
        x = torch.rand(run.batch, 3, nets.SIZE, nets.SIZE, device=run.device)
        self.net.train()
        started = time.monotonic()
        try:
            compiled = torch.compile(self.net)
            with torch.autocast(run.device.type, torch.bfloat16, enabled=self.amp):
                logits = compiled(x.contiguous(memory_format=torch.channels_last))
            logits.float().square().mean().backward()
            self.compiled = compiled
            self.log(f"compiled in {time.monotonic() - started:.0f} s")
        except Exception as error:
            self.log(f"torch.compile failed, going on without: {str(error).splitlines()[0]}")
        self.net.zero_grad(set_to_none=True)
        self.net.load_state_dict(state)

    def train_step(self, chosen, progress):
        run, phase = self.run, self.phase
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * learning_rate(progress)
        x, first, second, share = cifar.training_batch(
            run.train_images, run.train_labels, chosen, self.augment)
        x = x.contiguous(memory_format=torch.channels_last)
        with torch.autocast(run.device.type, torch.bfloat16, enabled=self.amp):
            logits = self.compiled(x).float()
            lesson = None
            if self.teacher is not None:
                with torch.no_grad():
                    lesson = self.teacher(x).float()
        loss = loss_of(logits, first, second, share, phase.taught, lesson)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), phase.clip)
        self.optimizer.step()
        self.average()
        self.sums += torch.stack((loss.detach(), (logits.argmax(1) == first).float().mean(),
                                  torch.ones((), device=run.device)))

    @torch.no_grad()
    def average(self):
        """Move the shadow towards the network; whole numbers and masks are copied."""
        decay = min(AVERAGE, (1.0 + self.step) / (10.0 + self.step))
        floats = [pair for pair in self.pairs if pair[0].is_floating_point()]
        torch._foreach_lerp_([pair[0] for pair in floats], [pair[1] for pair in floats],
                             1.0 - decay)
        for old, new in self.pairs:
            if not old.is_floating_point():
                old.copy_(new)

    def report(self, epoch, progress, last):
        every = self.run.args.eval_every or (1 if self.run.gpu else 5)
        loss, hits, count = self.sums.tolist()
        test = self.run.test(self.shadow) if last or (epoch + 1) % every == 0 else None
        told = "" if test is None else f"  test {test:.2%}"
        self.log(f"{self.name} epoch {epoch + 1:3d}  loss {loss / count:.4f}"
                 f"  train {hits / count:.2%}{told}  at {self.spent:.0f} s")
        with open(self.folder / "curve.csv", "a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow((self.name, epoch + 1, f"{progress:.4f}",
                                       f"{loss / count:.5f}", f"{hits / count:.5f}",
                                       "" if test is None else f"{test:.5f}",
                                       f"{self.spent:.0f}"))
        self.sums.zero_()

    def train(self):
        """Return the averaged network."""
        run = self.run
        torch.manual_seed(run.args.seed)
        random.seed(run.args.seed)
        self.sums = torch.zeros(3, device=run.device)
        self.pairs = list(zip(self.shadow.state_dict().values(), self.net.state_dict().values()))
        self.resume()
        total, budget = self.epochs * self.steps, 60.0 * run.args.budget
        told = "" if self.teacher is None else f", taught by {self.teacher.called}"
        kind = "bfloat16" if self.amp else "float32"
        self.log(f"{self.name}: {self.epochs} epochs of {self.steps} steps of {run.batch}"
                 f" on {run.device} in {kind}, augmented {self.augment}{told}")
        mark = saved = time.monotonic()
        progress, order = 0.0, None
        while self.step < total and progress < 1.0:
            epoch, i = divmod(self.step, self.steps)
            if i == 0 or order is None:
                order = self.order(epoch)
            progress = max(self.step / total, self.spent / budget)
            if self.on_progress:
                self.on_progress(self.net, progress)
            self.net.train()
            self.train_step(order[i * run.batch:(i + 1) * run.batch], min(progress, 1.0))
            self.step += 1
            now = time.monotonic()
            self.spent += now - mark
            mark = now
            if self.step % self.steps == 0 or progress >= 1.0:
                last = self.step == total or progress >= 1.0
                self.report(epoch, progress, last)
                mark = time.monotonic()
            if mark > run.deadline and self.step < total and progress < 1.0:
                self.save()
                raise Paused
            if mark - saved > 600.0:
                self.save()
                saved = mark
        return self.shadow


def tightener(keep):
    """3:4 from the start, one weight a group less at every tenth of the way."""
    def on_progress(net, progress):
        allowed = max(keep, sparse.GROUP - 1 - int(10.0 * progress))
        if allowed != on_progress.allowed:
            sparse.tighten(net, allowed)
            on_progress.allowed = allowed
    on_progress.allowed = None
    return on_progress


def load_net(path, architecture, folded=False):
    """The network of a file of weights."""
    net = nets.build(architecture, folded)
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return net


def save_net(net, path):
    part = path.with_suffix(".part")
    torch.save({name: value.cpu().contiguous() for name, value in net.state_dict().items()}, part)
    part.rename(path)


def find_teacher(run, name, log):
    """The network that `name` learns from, on the device, or None."""
    architecture, _, variant = name.partition("_")
    if run.args.teacher == "none" or name == "teacher":
        return None
    candidates = ["teacher"] + (["mobilenetv2"] if architecture == "vit" else [])
    candidates += [architecture] if variant else []
    if run.args.teacher != "auto":
        candidates = [run.args.teacher]
    for candidate in candidates:
        path = run.out / candidate / "float.pt"
        if candidate != name and path.exists():
            net = load_net(path, candidate.partition("_")[0])
            net = net.to(run.device, memory_format=torch.channels_last).eval().requires_grad_(False)
            net.called = candidate
            return net
    if run.args.teacher != "auto":
        raise SystemExit(f"train.py: no {run.args.teacher} in {run.out}")
    return None


def train_float(run, folder, name, teacher, log):
    """The float network of a name, from scratch or from its dense network."""
    architecture, _, variant = name.partition("_")
    key = "float" if not variant else "sparse" if variant in KEEP else "codebook"
    path, folded = folder / "float.pt", key == "codebook"
    if path.exists():
        return load_net(path, architecture, folded)
    on_progress = None
    torch.manual_seed(run.args.seed)
    if variant:
        parent = run.out / architecture / "float.pt"
        if not parent.exists():
            raise SystemExit(f"train.py: {name} starts from {parent}: train {architecture} first")
        net = load_net(parent, architecture)
        if variant in KEEP:
            sparse.apply(net, sparse.GROUP - 1)
            on_progress = tightener(KEEP[variant])
        else:
            codebook.apply(nets.fold(net))
    else:
        net = nets.build(architecture)
    phase = PHASES[architecture, key]
    net = Fit(run, folder, key, phase, net, teacher, log, on_progress).train()
    net = qat.release(net).cpu()
    save_net(net, path)
    return load_net(path, architecture, folded)


def check_variant(net, variant):
    if variant in KEEP:
        sparse.check(net, KEEP[variant])
    if variant == "cb4":
        codebook.check(net)


def fake_int8(run, net, variant):
    """The folded network with fake quantization, calibrated, on the device."""
    net = copy.deepcopy(net)
    if variant in KEEP:
        sparse.hold_zeros(net)
    if variant == "cb4":
        codebook.apply(net)
    qat.prepare(net)
    net = net.to(run.device, memory_format=torch.channels_last)
    qat.calibrate(net, run.calibration)
    return net


def train_int8(run, folder, name, net, teacher, result, log):
    """The folded network to export, trained with fake int8 if int8 costs too much without."""
    architecture, _, variant = name.partition("_")
    before = run.trial(net.to(run.device))
    fake = fake_int8(run, net.cpu(), variant)
    cost = before - run.trial(fake)
    wanted = run.args.int8
    learn = wanted == "always" or wanted == "auto" and cost > TRIAL_LOSS
    log(f"int8 costs {cost:.2%} of the training images tried"
        f"{', so it is trained' if learn else ''}")
    result["int8_cost_in_training_images"] = cost
    result["int8_trained"] = learn
    if learn:
        phase = PHASES[architecture, "int8"]
        fake = Fit(run, folder, "int8", phase, fake, teacher, log).train()
    result["fake_int8_top1"] = run.test(fake)
    return (qat.release(fake) if learn else net).cpu()


def describe(run, name, net, result):
    """What is known of the network without exporting it."""
    chosen = list(nets.compressible(net))
    nonzero = sum(int((module.weight != 0).sum()) for _, module in chosen)
    total = sum(module.weight.numel() for _, module in chosen)
    parameters = nets.count_parameters(net)
    result.update({
        "name": name, "parameters": parameters, "compressible": total,
        "nonzero": parameters - total + nonzero, "macs": nets.count_macs(net),
        "seed": run.args.seed, "device": run.device.type, "torch": torch.__version__,
        "python": platform.python_version()})


def train_name(run, name):
    """Everything for one name; done phases are taken from their files."""
    architecture, _, variant = name.partition("_")
    folder = run.out / name
    folder.mkdir(parents=True, exist_ok=True)
    log = Log(folder / "train.log")
    last = folder / ("float.pt" if name == "teacher" else "folded.pt")
    if last.exists():
        log(f"{name}: done")
        return
    log(f"{name}: seed {run.args.seed}, torch {torch.__version__}, {len(run.train_images)} images")
    teacher = find_teacher(run, name, log)
    net = train_float(run, folder, name, teacher, log)
    result = {"float_top1": run.test(net.to(run.device))}
    log(f"{name}: float top-1 {result['float_top1']:.2%}")
    net = net.cpu()
    if name != "teacher":
        if variant != "cb4":
            nets.fold(net)
        check_variant(net, variant)
        net = train_int8(run, folder, name, net, teacher, result, log)
        check_variant(net, variant)
        result["folded_top1"] = run.test(net.to(run.device))
        log(f"{name}: float top-1 of the weights to export {result['folded_top1']:.2%},"
            f" with fake int8 {result['fake_int8_top1']:.2%}")
        describe(run, name, net.cpu(), result)
        save_net(net, folder / "folded.pt")
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "checkpoint.pt").unlink(missing_ok=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=("all", "teacher", *NAMES), metavar="NAME")
    parser.add_argument("--data", default=cifar.DEFAULT_DATA, help="CIFAR-10 folder or archive")
    parser.add_argument("--cache", default="build/train", help="folder for the decoded images")
    parser.add_argument("--out", default="build/train", help="folder for the results")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, help="threads of the CPU")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, help="images a step: 128, on a GPU 512")
    parser.add_argument("--epochs", type=int, help="of the float or sparse phase")
    parser.add_argument("--finish-epochs", type=int, help="of the codebook and int8 phases")
    parser.add_argument("--time-limit", type=float, default=math.inf, metavar="MINUTES",
                        help="of this command")
    parser.add_argument("--budget", type=float, default=math.inf, metavar="MINUTES",
                        help="of each phase")
    parser.add_argument("--teacher", default="auto", help="auto, none or a name")
    parser.add_argument("--int8", default="auto", choices=("auto", "always", "never"),
                        help="training with fake int8")
    parser.add_argument("--compile", default="auto", choices=("auto", "on", "off"),
                        help="torch.compile: auto means on a GPU, for long phases")
    parser.add_argument("--bf16", default="auto", choices=("auto", "on", "off"),
                        help="products in bfloat16; auto means where that is faster")
    parser.add_argument("--eval-every", type=int, metavar="EPOCHS")
    parser.add_argument("--limit-train", type=int, metavar="IMAGES", help="to try things out")
    parser.add_argument("--limit-test", type=int, metavar="IMAGES", help="to try things out")
    return parser.parse_args()


def main():
    args = arguments()
    run = Run(args)
    names = args.names
    if "all" in names:
        names = (["teacher"] if run.gpu else []) + list(NAMES)
    try:
        for name in names:
            train_name(run, name)
    except Paused:
        print("paused at the time limit: run the same command again")
        sys.exit(PAUSED)


if __name__ == "__main__":
    main()
