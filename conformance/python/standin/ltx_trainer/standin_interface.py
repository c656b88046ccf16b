"""What the transformer may expect of the inputs that a strategy hands over."""
import torch


def check_modality(name, inputs):
    """Stops at the first entry of a Modality whose type or shape is not the official one."""
    size, count = inputs.latent.shape[:2]
    axes = {"video": 3, "audio": 1}[name]
    check_entry(f"{name}.latent", inputs.latent, (size, count, inputs.latent.shape[2]))
    check_entry(f"{name}.sigma", inputs.sigma, (size,), is_share=True)
    check_entry(f"{name}.timesteps", inputs.timesteps, (size, count), is_share=True)
    check_entry(f"{name}.positions", inputs.positions, (size, axes, count, 2))
    check_entry(f"{name}.attention_mask", inputs.attention_mask, (size, count, count), is_share=True)
    check_entry(f"{name}.keyframes_mask", inputs.keyframes_mask, (size, count, 1))
    if inputs.context.dim() != 3 or inputs.context.shape[0] != size:
        raise ValueError(f"{name}.context is {list(inputs.context.shape)}")
    if inputs.context.requires_grad:
        raise ValueError(f"{name}.context takes a gradient back into the connectors, which nothing trains")
    if inputs.context_mask is not None and inputs.context_mask.shape != inputs.context.shape[:2]:
        raise ValueError(f"{name}.context_mask is {list(inputs.context_mask.shape)}")
    if inputs.enabled is not True:
        raise ValueError(f"{name}.enabled is {inputs.enabled}")


def check_entry(name, value, shape, is_share=False):
    if value is None:
        return
    if value.dtype != torch.float32 or tuple(value.shape) != shape:
        raise ValueError(f"{name} is {value.dtype} {list(value.shape)}, not float32 {list(shape)}")
    if is_share and (value.min() < 0 or value.max() > 1):
        raise ValueError(f"{name} is not within 0 and 1")
