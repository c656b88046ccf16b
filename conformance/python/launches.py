"""Starts compiled strategies on the stand-in trainer, with one process and with two. Argument: a JSON file: name -> module."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import torch
import yaml

import launched
import packages
from report import check, difference

HERE = pathlib.Path(__file__).parent
B, CHANNELS, GRID, TEXT = 2, 4, (2, 2, 3), 6


def project(folder, samples=8, **changes):
    """A folder with data for all the strategies that are started here, and a run config."""
    torch.manual_seed(1)
    frames, height, width = GRID
    for i in range(samples):
        video = {"num_frames": frames, "height": height, "width": width, "fps": 24.0}
        files = {
            "latents": {"latents": torch.randn(CHANNELS, *GRID).bfloat16(), **video},
            "conditions": {
                "video_prompt_embeds": torch.randn(4, TEXT).bfloat16(),
                "audio_prompt_embeds": torch.randn(4, TEXT).bfloat16(),
                "prompt_attention_mask": torch.ones(4, dtype=torch.int64),
            },
            "mask_latents": {"latents": torch.rand(CHANNELS, *GRID).bfloat16(), **video},
            "features": {"features": torch.randn(frames * height * width, 8)},
        }
        for directory, content in files.items():
            (folder / "data" / directory).mkdir(parents=True, exist_ok=True)
            torch.save(content, folder / "data" / directory / f"clip_{i}.pt")
    (folder / "data/texts").mkdir(exist_ok=True)
    shutil.copy(folder / "data/conditions/clip_0.pt", folder / "data/texts/general.pt")
    (folder / "model.safetensors").write_bytes(b"")
    return config(folder, "train.yaml", **changes)


def config(folder, name, strategy="inpainting", processes=None, **changes):
    values = {
        "model": {"model_path": "model.safetensors", "training_mode": "lora"},
        "lora": {"rank": 2, "alpha": 2, "target_modules": ["to_q", "to_k", "to_v"]},
        "training_strategy": {"name": strategy},
        "optimization": {"learning_rate": "1e-2", "steps": 4, "batch_size": 2},
        "data": {"preprocessed_data_root": "data", "num_dataloader_workers": 0},
        "checkpoints": {"precision": "float32"},
        "seed": 7,
        "output_dir": "outputs",
    }
    for key, value in changes.items():
        values[key] = {**values[key], **value} if isinstance(values.get(key), dict) else value
    path = folder / name
    path.write_text(yaml.safe_dump(values))
    return path


class Launch:
    """One run of a module, in as many processes as `ranks`."""

    def __init__(self, module, path, ranks=1, env=None, arguments=(), cwd=None, closes=(), on_started=lambda: None):
        self.out = pathlib.Path(tempfile.mkdtemp(dir=path.parent)) / "record"
        arguments = [str(module), str(self.out), str(path), *arguments]
        port, self.files = free_port(), [(f"{self.out}.{rank}.stdout", f"{self.out}.{rank}.stderr") for rank in range(ranks)]
        started = []
        for rank, files in enumerate(self.files):
            own = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": ranks, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
            whole = {**{key: str(value) for key, value in own.items()}, **(env or {})}
            started.append(start_process(arguments, whole, cwd, files, closes))
        on_started()
        self.codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in started]
        self.stdout, self.stderr = ([pathlib.Path(files[i]).read_text() for files in self.files] for i in (0, 1))

    def record(self, rank=0):
        assert self.codes == [0] * len(self.codes), "\n".join(self.stderr)
        return torch.load(f"{self.out}.{rank}")


def start_process(arguments, env, cwd, files, closes):
    """A fork of this process, which has loaded PyTorch already: that takes longer than all the rest."""
    process = os.fork()
    if process != 0:
        return process
    code = 1
    try:
        for number in closes:
            os.close(number)
        for number, path in enumerate(files, start=1):
            os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), number)
        os.environ.update(env)
        sys.path[:0] = [folder for folder in env.get("PYTHONPATH", "").split(os.pathsep) if folder]
        if cwd is not None:
            os.chdir(cwd)
        launched.main(arguments)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def tensors_of(path):
    sys.path += packages.folders()
    from safetensors.torch import load_file

    return load_file(str(path))


def metadata_of(path):
    data = path.read_bytes()
    return json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})


def expect(condition, reason):
    return [] if condition else [reason]


# ---------------------------------------------------------------------------------------------------------------- one process


def trains(modules, folder):
    """From another folder, with keys of ltxc, with numbers as YAML 1.1 reads them: paths start at the config's folder."""
    path = project(folder, runtime={"engine": "cpu"}, evaluation={"interval": 5})
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    progress = folder / "progress.jsonl"
    run = Launch(modules["inpainting"], path, cwd=elsewhere, env={"LTXC_PROGRESS": str(progress)})
    record = run.record()
    weights = folder / "outputs/checkpoints/lora_weights_step_00004.safetensors"
    yield from expect(weights.exists(), "the weights are not in the config's folder")
    yield from expect((folder / "outputs/training_config.yaml").exists(), "no training_config.yaml")
    yield from expect("evaluation and runtime left out" in run.stdout[0], f"says nothing of dropped keys: {run.stdout[0]}")
    yield from expect(record["places"] == [(7, i, 0, 4) for i in range(4)], f"places are {record['places']}")
    metadata = metadata_of(weights)
    yield from expect(metadata.get("ltxc.strategy") == "inpainting", f"metadata is {metadata}")
    lines = [json.loads(line) for line in progress.read_text().splitlines()]
    yield from expect([line["step"] for line in lines] == [1, 2, 3, 4], f"progress is {lines}")
    times = [line["time"] for line in lines]
    yield from expect(times == sorted(times) and times[0] > 1e9, f"times in the progress are {times}")
    means = [loss.mean().item() for loss in record["losses"]]
    found = [sum(line["losses"].values()) for line in lines]
    yield from expect(difference(found, means, atol=1e-6) is None, f"losses in the progress are {found}, not {means}")
    moved = any(not torch.equal(a, b) for a, b in zip(record["before"], record["after"]))
    yield from expect(moved, "no parameter changed")


def warns_of_validation(modules, folder):
    """References in validation whose factors are not those of the data; once, not on every process."""
    conditions = [{"type": "reference", "video": "a.mp4", "downscale_factor": factor} for factor in (1, 2)]
    for factors, warned in ((conditions[:1], False), (conditions, True), ([], False)):
        path = project(folder, validation={"interval": None, "samples": [{"prompt": "a", "conditions": factors}]})
        run = Launch(modules["inpainting"], path)
        run.record()
        says = "validation has a reference with downscale_factor 2 and temporal_scale_factor 1; in the data they are 1 and 1"
        yield from expect(run.stdout[0].count(says) == int(warned), f"with {factors} it says: {run.stdout[0]}")


def accumulates(modules, folder):
    path = project(folder, optimization={"gradient_accumulation_steps": 2, "steps": 2})
    places = Launch(modules["inpainting"], path).record()["places"]
    expected = [(7, 0, 0, 2), (7, 0, 1, 2), (7, 1, 0, 2), (7, 1, 1, 2)]
    yield from expect(places == expected, f"places are {places}")


def refused(modules, module, path, message, env=None, arguments=()):
    """Exit code 1, one message on stderr, no stack."""
    run = Launch(modules[module], path, env=env, arguments=arguments)
    yield from expect(run.codes == [1], f"exit codes {run.codes}: {run.stderr[0]}")
    yield from expect(message in run.stderr[0], f"says: {run.stderr[0]}")
    yield from expect("Traceback" not in run.stderr[0], f"shows a stack: {run.stderr[0]}")


def refuses_configs(modules, folder):
    project(folder)
    text = folder / "broken.yaml"
    text.write_text("model: [")
    other = folder / "list.yaml"
    other.write_text("- 1\n")
    wrong = {
        "unknown.yaml": (dict(optimisation={"steps": 1}), "optimisation"),
        "name.yaml": (dict(strategy="text_to_video"), "inpainting"),
        "data.yaml": (dict(data={"preprocessed_data_root": "no/data"}), "directory does not exist: latents"),
        "param.yaml": (dict(training_strategy={"mask_threshold": 2}), "mask_threshold"),
        "model.yaml": (dict(model={"model_path": "none.safetensors"}), "none.safetensors"),
    }
    for name, (changes, message) in wrong.items():
        yield from refused(modules, "inpainting", config(folder, name, **changes), message)
    yield from refused(modules, "inpainting", folder / "none.yaml", "none.yaml cannot be read")
    yield from refused(modules, "inpainting", text, "broken.yaml cannot be read")
    yield from refused(modules, "inpainting", other, "list.yaml is not a run config")
    yield from refused(modules, "inpainting", folder / "train.yaml", "usage: accelerate launch", arguments=["another"])


def refuses_directories(modules, folder):
    """A tensor's directory that a parameter names, with `latent` in it."""
    path = project(folder, strategy="heads")
    os.rename(folder / "data/features", folder / "data/latent_features")
    path = config(folder, "a.yaml", strategy="heads", training_strategy={"features_dir": "latent_features"})
    yield from refused(modules, "heads", path, "Rename it")


def refuses_versions(modules, folder):
    path, made = project(folder), "was made for ltx-trainer 1.2; "
    installed = folder / "site" / "ltx_trainer-1.3.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: ltx-trainer\nVersion: 1.3.0\n")
    again = "Compile it again with an ltxc that knows it."
    env = {"PYTHONPATH": str(folder / "site")}
    yield from refused(modules, "inpainting", path, f"{made}1.3.0 is installed. {again}", env=env)
    changes = {
        "trainer.py": ("_log_metrics", "_track_metrics", "where LtxvTrainer has no _log_metrics"),
        "config.py": ("    training_strategy: ", "    strategy: ", "where LtxTrainerConfig has no training_strategy"),
        "training_strategies/base_strategy.py": (
            "audio_loss_mask: Tensor | None",
            "audio_loss_mask: Tensor | None\n    hints: Tensor",
            "where ModelInputs needs hints",
        ),
    }
    for name, (old, new, message) in changes.items():
        changed = folder / name.replace("/", "_")
        shutil.copytree(HERE / "standin", changed)
        text = (changed / "ltx_trainer" / name).read_text().replace("self.training_strategy.", "self.strategy.")
        (changed / "ltx_trainer" / name).write_text(text.replace(old, new))
        env = {"LTXC_STANDIN": str(changed)}
        yield from refused(modules, "inpainting", path, f"{made}another one is installed, {message}. {again}", env=env)


def parity_tells_of_versions(modules, folder):
    """`ltxc parity` changes the trainer before the module looks at it; a version without what it changes is told all the same."""
    path, harness = project(folder), HERE.parents[1] / "bin/parity/harness.py"
    given = {"module": str(modules["inpainting"]), "samples": 8, "order": [0, 1], "record": str(folder / "record")}
    (folder / "parity.json").write_text(json.dumps(given))
    for name in ("_collect_trainable_params", "_training_step"):
        changed = folder / name
        shutil.copytree(HERE / "standin", changed)
        text = (changed / "ltx_trainer/trainer.py").read_text()
        (changed / "ltx_trainer/trainer.py").write_text(text.replace(name, f"{name}s"))
        paths = os.pathsep.join([str(changed), *packages.folders()])
        env = {**os.environ, "LTXC_PARITY": str(folder / "parity.json"), "PYTHONPATH": paths}
        run = subprocess.run([sys.executable, str(harness), str(path)], env=env, capture_output=True, text=True, timeout=300)
        yield from expect(run.returncode == 1, f"ends with {run.returncode}: {run.stderr}")
        yield from expect(f"where LtxvTrainer has no {name}. Compile it again" in run.stderr, f"says: {run.stderr}")
        yield from expect("Traceback" not in run.stderr, f"says: {run.stderr}")


def stops_at_infinite_losses(modules, folder):
    path = project(folder, optimization={"batch_size": 1, "steps": 8})
    stored = torch.load(folder / "data/latents/clip_3.pt")
    stored["latents"][0, 0, 0, 0] = float("nan")
    torch.save(stored, folder / "data/latents/clip_3.pt")
    yield from refused(modules, "inpainting", path, "of sample 3 of the sorted data is nan")


def ends_with_ltxc(modules, folder):
    """A pipe as stdin, whose other end is closed while it trains, as when `ltxc run` was killed."""
    path, progress = project(folder, optimization={"steps": 100_000}), folder / "progress.jsonl"
    kept, given = os.pipe()
    env = {"LTXC_PROGRESS": str(progress), "LTXC_HOLDS_STDIN": "1"}
    before = os.dup(0)
    os.dup2(kept, 0)
    os.set_inheritable(given, False)

    def close():
        while not (progress.exists() and progress.stat().st_size > 0):
            time.sleep(0.01)
        os.close(given)

    closing = threading.Thread(target=close)
    try:
        run = Launch(modules["inpainting"], path, env=env, closes=[given], on_started=closing.start)
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(kept)
    closing.join()
    yield from expect(run.codes == [130], f"exit codes {run.codes}")
    yield from expect("`ltxc run`, which started this run, is gone" in run.stderr[0], f"says: {run.stderr[0]}")


# --------------------------------------------------------------------------------------------------------------------- heads


def saves_heads(modules, folder):
    """They start where `ltxc run` starts them, change, are pruned with their weights, and are read again."""
    changes = dict(strategy="heads", checkpoints={"interval": 1, "keep_last_n": 2, "precision": "float32"})
    path = project(folder, **changes)
    first = Launch(modules["heads"], path).record()
    checkpoints = folder / "outputs/checkpoints"
    found = sorted(file.name for file in checkpoints.glob("heads_*"))
    yield from expect(found == ["heads_00003.safetensors", "heads_00004.safetensors"], f"there are {found}")
    heads = tensors_of(checkpoints / "heads_00004.safetensors")
    names = [f"outputs.{name}.{key}" for name in ("wide", "aligned") for key in ("weight", "bias")]
    yield from expect(sorted(heads) == sorted(names), f"their names are {list(heads)}")
    for name, value in zip(names, first["after"][-4:]):
        yield from expect(torch.equal(heads[name], value), f"{name} in the file is another one than in memory")
    for before, after in zip(first["before"][-4:], first["after"][-4:]):
        yield from expect(not torch.equal(before, after), "a head did not change")
    weights = checkpoints / "lora_weights_step_00004.safetensors"
    path = config(folder, "on.yaml", **changes, model={"load_checkpoint": str(weights)}, output_dir="others")
    second = Launch(modules["heads"], path).record()
    for value, loaded in zip(first["after"], second["before"]):
        yield from expect(torch.equal(value, loaded), "a run that goes on starts with other values")


def starts_heads_like_ltxc(modules, folder, expected):
    path = project(folder, strategy="heads")
    before = Launch(modules["heads"], path).record()["before"][-4:]
    for name, value in zip(expected, before):
        found = difference(value.flatten(), torch.tensor(expected[name], dtype=torch.float64).float())
        yield from expect(found is None, f"{name}: {found}")


def refuses_taps(modules, folder):
    path = project(folder, strategy="heads")
    compiled = {"ACCELERATE_DYNAMO_BACKEND": "INDUCTOR"}
    yield from refused(modules, "heads", path, "without torch.compile", env=compiled)
    path = config(folder, "deep.yaml", strategy="deep")
    yield from refused(modules, "deep", path, "the output `last` taps block 40, but the model's blocks are 0 to 1")


def checkpointed_blocks(modules, folder, strategy):
    """Blocks that are calculated a second time, for the backward pass, change nothing."""
    path = project(folder, strategy=strategy)
    plain = Launch(modules[strategy], path).record()
    changes = {"optimization": {"enable_gradient_checkpointing": True}}
    path = config(folder, "again.yaml", strategy=strategy, output_dir="others", **changes)
    again = Launch(modules[strategy], path).record()
    for a, b in zip(plain["after"], again["after"]):
        found = difference(b, a, atol=1e-6)
        yield from expect(found is None, str(found))


# -------------------------------------------------------------------------------------------------------------------- passes


def calls_without_lora(modules, folder):
    """The LoRA starts without an effect, so at first nothing differs from the base model; later everything does."""
    path = project(folder, strategy="passes")
    progress = folder / "progress.jsonl"
    record = Launch(modules["passes"], path, env={"LTXC_PROGRESS": str(progress)}).record()
    losses = [json.loads(line)["losses"] for line in progress.read_text().splitlines()]
    for name in ("moved", "preserve"):
        yield from expect(losses[0][name] == 0, f"{name} is {losses[0][name]} in the first step")
        yield from expect(losses[3][name] > 0, f"{name} is {losses[3][name]} in the last step")
    moved = [not torch.equal(a, b) for a, b in zip(record["before"], record["after"])]
    yield from expect(all(moved[-2:]) and any(moved[:-2]), f"changed are {moved}")


def refuses_passes(modules, folder):
    full = {"model": {"training_mode": "full"}}
    path = project(folder, strategy="passes", **full)
    yield from refused(modules, "passes", path, "the pass `base` calls the model as it was before the training")
    (folder / "data/texts/general.pt").unlink()
    path = config(folder, "gone.yaml", strategy="passes")
    yield from refused(modules, "passes", path, "general.pt, which the source `general` is read from")
    short = {"video_prompt_embeds": torch.randn(3, TEXT), "audio_prompt_embeds": torch.randn(3, TEXT)}
    torch.save({**short, "prompt_attention_mask": torch.ones(3, dtype=torch.int64)}, folder / "data/texts/general.pt")
    says = f"of the texts of `general` is [3, {TEXT}] for a sample, of those of `conditions` [4, {TEXT}]"
    yield from refused(modules, "passes", path, says)


# ------------------------------------------------------------------------------------------------------------- two processes


def ranks_agree(modules, folder, strategy):
    """Equal parameters on both; equal to twofold accumulation in one process."""
    path = project(folder, samples=16, strategy=strategy)
    both = Launch(modules[strategy], path, ranks=2)
    ranks = [both.record(rank) for rank in (0, 1)]
    places = [record["places"] for record in ranks]
    yield from expect(places[1] == [(7, i, 1, 4) for i in range(4)], f"places of rank 1 are {places[1]}")
    for a, b in zip(ranks[0]["after"], ranks[1]["after"]):
        yield from expect(torch.equal(a, b), f"the ranks differ: {difference(a, b)}")
    yield from expect(not torch.equal(ranks[0]["losses"][0], ranks[1]["losses"][0]), "both ranks see the same batch")
    changes = {"optimization": {"gradient_accumulation_steps": 2}, "output_dir": "others"}
    path = config(folder, "accumulated.yaml", strategy=strategy, **changes)
    single = Launch(modules[strategy], path).record()
    alternating = [loss for pair in zip(ranks[0]["losses"], ranks[1]["losses"]) for loss in pair]
    for a, b in zip(alternating, single["losses"]):
        found = difference(a, b, atol=1e-5, rtol=1e-5)
        yield from expect(found is None, f"losses: {found}")
    for a, b in zip(ranks[0]["after"], single["after"]):
        found = difference(a, b, atol=1e-5)
        yield from expect(found is None, f"parameters: {found}")


def failing_rank_ends_all(modules, folder):
    path = project(folder, optimization={"batch_size": 1, "steps": 8})
    stored = torch.load(folder / "data/latents/clip_3.pt")
    stored["latents"][0, 0, 0, 0] = float("nan")
    torch.save(stored, folder / "data/latents/clip_3.pt")
    both = Launch(modules["inpainting"], path, ranks=2)
    yield from expect(0 not in both.codes, f"exit codes {both.codes}")
    told = [text for text in both.stderr if "of sample 3 of the sorted data is nan" in text]
    yield from expect(len(told) == 1, f"told {len(told)} times")
    if torch.__version__.startswith("1."):
        # Its own launcher does not run with Python 3.11.
        return
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_addr", "127.0.0.1"]
    command = [*launcher, "--master_port", str(free_port()), str(modules["inpainting"]), str(path)]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(packages.folders())}
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    yield from expect(run.returncode != 0, "the launcher ends with 0")
    yield from expect("of sample 3 of the sorted data is nan" in run.stderr, f"says: {run.stderr}")


def errors_once(modules, folder):
    """A mistake in the config is told by one process."""
    path = project(folder, data={"preprocessed_data_root": "no/data"})
    run = Launch(modules["inpainting"], path, ranks=2)
    yield from expect(run.codes == [1, 1], f"exit codes {run.codes}")
    told = [("directory does not exist" in text) for text in run.stderr]
    yield from expect(told == [True, False], f"told by {told}")


def main():
    # Threads would not be there in forks of this process.
    torch.set_num_threads(1)
    with open(sys.argv[1], encoding="utf-8") as file:
        given = json.load(file)
    modules = {name: pathlib.Path(path) for name, path in given["modules"].items()}
    heads = "heads"
    runs = {
        "trains": trains,
        "warns of factors in validation": warns_of_validation,
        "counts micro-batches": accumulates,
        "refuses wrong configs": refuses_configs,
        "refuses directories without latents": refuses_directories,
        "refuses other versions": refuses_versions,
        "parity tells of other versions": parity_tells_of_versions,
        "stops at infinite losses": stops_at_infinite_losses,
        "ends with ltxc": ends_with_ltxc,
        "saves and loads heads": saves_heads,
        "starts heads like ltxc": lambda *places: starts_heads_like_ltxc(*places, given["heads"]),
        "refuses taps": refuses_taps,
        "heads with checkpointed blocks": lambda *places: checkpointed_blocks(*places, heads),
        "calls the model without the LoRA": calls_without_lora,
        "refuses passes": refuses_passes,
        "passes with checkpointed blocks": lambda *places: checkpointed_blocks(*places, "passes"),
        "two processes with passes": lambda *places: ranks_agree(*places, "passes"),
        "two processes": lambda *places: ranks_agree(*places, "inpainting"),
        "two processes with heads": lambda *places: ranks_agree(*places, heads),
        "a failing process ends all": failing_rank_ends_all,
        "mistakes are told once": errors_once,
    }
    for name, run in runs.items():
        with tempfile.TemporaryDirectory() as folder:
            check(f"launcher: {name}", run, modules, pathlib.Path(folder))


if __name__ == "__main__":
    main()
