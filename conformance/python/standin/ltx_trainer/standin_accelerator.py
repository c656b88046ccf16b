"""What the trainer uses of Accelerate's Accelerator: processes, DDP, accumulation of gradients."""
import os
from contextlib import contextmanager, nullcontext

import torch
import torch.distributed as distributed


class Accelerator:
    def __init__(self, gradient_accumulation_steps: int = 1, mixed_precision: str | None = None):
        self.gradient_accumulation_steps, self.mixed_precision = gradient_accumulation_steps, mixed_precision
        self.num_processes, self.process_index = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        self.is_main_process = self.process_index == 0
        self.device = torch.device("cpu")
        self.sync_gradients, self._calls = True, 0
        if self.num_processes > 1 and not distributed.is_initialized():
            distributed.init_process_group("gloo")

    def prepare_model(self, model):
        if self.mixed_precision == "bf16":
            model.forward = in_bfloat16(model.forward)
        if self.num_processes == 1:
            return model
        # The frozen base is the same everywhere, and the gloo of PyTorch 1.13 sends no bfloat16.
        frozen = [name for name, value in model.named_parameters() if not value.requires_grad]
        parallel = torch.nn.parallel.DistributedDataParallel
        parallel._set_params_and_buffers_to_ignore_for_model(model, frozen)
        return parallel(model, find_unused_parameters=True)

    def unwrap_model(self, model):
        return model.module if isinstance(model, torch.nn.parallel.DistributedDataParallel) else model

    @contextmanager
    def accumulate(self, model):
        self._calls += 1
        self.sync_gradients = self._calls % self.gradient_accumulation_steps == 0
        waits = hasattr(model, "no_sync") and not self.sync_gradients
        with model.no_sync() if waits else nullcontext():
            yield

    def backward(self, loss):
        (loss / self.gradient_accumulation_steps).backward()

    def clip_grad_norm_(self, parameters, limit):
        return torch.nn.utils.clip_grad_norm_(parameters, limit)

    def reduce(self, tensor, reduction="sum"):
        if self.num_processes > 1:
            distributed.all_reduce(tensor)
        return tensor / self.num_processes if reduction == "mean" else tensor

    def wait_for_everyone(self):
        if self.num_processes > 1:
            distributed.barrier()


def in_bfloat16(forward):
    """Mixed precision is within the model alone: what it returns is float32 again."""

    def wrapped(**inputs):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = forward(**inputs)
        return tuple(output if output is None else output.float() for output in outputs)

    return wrapped
