"""Starts every example on the stand-in trainer, for two steps and from an empty folder. Argument: the JSON file of examples.ts."""
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
import yaml

import packages
from launches import Launch, expect, free_port
from report import check


def short_config(project):
    """The project's run config with two steps."""
    path = project / "train.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    values["optimization"] = {**values.get("optimization", {}), "steps": 2}
    path.write_text(yaml.safe_dump(values))
    return path


def trains(example):
    if example["module"] is None:
        yield from expect(example["isExpected"], f"is refused: {example['errors']}")
        return
    yield from expect(example["isExpected"], "is compiled, but was to be refused")
    project = pathlib.Path(example["project"])
    with tempfile.TemporaryDirectory() as empty:
        record = Launch(example["module"], short_config(project), cwd=empty).record()
        yield from expect(not os.listdir(empty), f"leaves {os.listdir(empty)} in the folder that it is started in")
    weights = project / "outputs/checkpoints/lora_weights_step_00002.safetensors"
    yield from expect(weights.exists(), f"there is no {weights.name}")
    yield from expect(len(record["losses"]) == 2, f"{len(record['losses'])} micro-batches in two steps")
    moved = any(not torch.equal(a, b) for a, b in zip(record["before"], record["after"]))
    yield from expect(moved, "no parameter changed")


def accelerated(example):
    """As the documentation says it: `accelerate launch FILE CONFIG`."""
    path = short_config(pathlib.Path(example["project"]))
    launcher = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "1"]
    command = [*launcher, "--main_process_port", str(free_port()), example["module"], str(path)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(packages.folders())}
    with tempfile.TemporaryDirectory() as empty:
        run = subprocess.run(command, env=env, cwd=empty, capture_output=True, text=True, timeout=600)
    yield from expect(run.returncode == 0, f"ends with {run.returncode}: {run.stderr}")


def main():
    # Threads would not be there in forks of this process.
    torch.set_num_threads(1)
    with open(sys.argv[1], encoding="utf-8") as file:
        examples = json.load(file)
    for example in examples:
        check(f"example {example['name']} on the official trainer", trains, example)
    if importlib.util.find_spec("accelerate") is not None:
        check("accelerate launch", accelerated, next(example for example in examples if example["module"]))


if __name__ == "__main__":
    main()
