"""Reads and writes safetensors files: a length, a JSON header, then the numbers."""
import json
import math
import struct

import torch

TYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}


def load_file(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if name != "__metadata__":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            flat = torch.frombuffer(bytearray(data[start:end]), dtype=TYPES[entry["dtype"]]) if end > start else []
            tensors[name] = torch.as_tensor(flat, dtype=TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def save_file(tensors, path, metadata=None):
    names = {dtype: name for name, dtype in TYPES.items()}
    header, blocks, offset = {"__metadata__": metadata} if metadata else {}, [], 0
    for name, tensor in tensors.items():
        block = bytes(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).tolist())
        assert len(block) == math.prod(tensor.shape) * tensor.element_size()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + len(block)]}
        blocks.append(block)
        offset += len(block)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blocks))
