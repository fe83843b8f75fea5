"""Seconds of one inference of a CPU runtime on one thread: peers.py RUNTIME MODEL RUNS.

RUNTIME is onnxruntime (an ONNX file) or litert (a TFLite file). Prints the median of RUNS runs,
each the mean of as many inferences as take a fifth of a second, after a warm-up.
"""

import statistics
import sys
import time

import numpy as np


def onnxruntime_runner(path):
    """A function that runs one inference with onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8}
    feed = {}
    for i in session.get_inputs():
        shape = [d if isinstance(d, int) else 1 for d in i.shape]
        feed[i.name] = (np.random.default_rng(1).random(shape) * 100).astype(types[i.type])
    return lambda: session.run(None, feed)


def litert_runner(path):
    """A function that runs one inference with LiteRT (XNNPACK)."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    for i in interpreter.get_input_details():
        values = np.random.default_rng(1).random(i["shape"]) * 100
        interpreter.set_tensor(i["index"], values.astype(i["dtype"]))
    return interpreter.invoke


def main():
    runtime, path, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
    run = {"onnxruntime": onnxruntime_runner, "litert": litert_runner}[runtime](path)
    begin = time.perf_counter()
    run()
    run()
    count = max(1, int(0.4 / (time.perf_counter() - begin)))
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        for _ in range(count):
            run()
        times.append((time.perf_counter() - begin) / count)
    print(statistics.median(times))


if __name__ == "__main__":
    main()
