"""Names of PyTorch that mean nothing here, each with a sentence that says what to write instead."""

from __future__ import annotations

_TYPES = {
    "Float": "float32", "Double": "float64", "Half": "float16", "Long": "int64", "Int": "int32",
    "Short": "int16", "Byte": "uint8", "Char": "int8", "Bool": "bool",
}  # fmt: skip
_NO_GRAPH = "there is no other language for models: tinytorch.compile makes a NumPy program of one"
_NO_LAYOUT = "an array keeps the order in memory that NumPy gives it; leave it out"

MEANINGS: dict[str, str] = {
    **{
        f"{kind}Tensor": f"write tinytorch.tensor(data, dtype=tinytorch.{dtype})"
        for kind, dtype in _TYPES.items()
    },
    "bfloat16": "NumPy has no bfloat16: float32 takes its place",
    **dict.fromkeys(("jit", "fx", "onnx", "export"), _NO_GRAPH),
    **dict.fromkeys(
        ("channels_last", "contiguous_format", "preserve_format", "strided", "memory_format"),
        _NO_LAYOUT,
    ),
    **dict.fromkeys(
        ("amp", "autocast"), "on a CPU there is nothing to cast to: model.float() is float32"
    ),
    "utils": "its data loaders are in tinytorch.data, clip_grad_norm_ in tinytorch.nn.utils",
    "distributed": "everything runs in one process; Dask's arrays take many",
    "multiprocessing": "everything runs in one process; a DataLoader's workers are threads",
    "func": "its transforms are tinytorch's own: grad, vmap, jacrev, hessian, vjp, jvp",
    "special": "SciPy's functions take tensors: scipy.special.expit(x); so does x.erf()",
    "sparse": "arrays are dense: NumPy knows no others",
    "quantization": "tensors are floating: model.half() halves a model",
    "set_num_threads": "NumPy's threads are set before it starts: OMP_NUM_THREADS=2 python ...",
    "get_num_threads": "NumPy's threads are set before it starts: OMP_NUM_THREADS=2 python ...",
    "set_printoptions": "arrays are printed by NumPy: np.set_printoptions(precision=3)",
    "set_default_device": "tensors are on the CPU; leave it out",
    "set_default_tensor_type": "the default is float64: give dtype=tinytorch.float32",
    **dict.fromkeys(
        ("numpy", "jnp"), "NumPy's own functions take tensors: import numpy as np, np.sin(x)"
    ),
    "Variable": "every tensor has a gradient: write Tensor(data)",
    "stop_gradient": "x.detach() gives the values as a constant",
    "device_put": "tensors are on the CPU; leave it out",
    "lax": "write the loop in Python: for, while and if take tensors as they are",
    "tree_map": "trees are mapped by tinytorch.trees.map_leaves",
    **{
        name: f"it is in tinytorch.{home}: from tinytorch.{home} import {name}"
        for home, names in {
            "nn": "Module Parameter Linear Sequential MLP Layer Neuron Activation functional",
            "optim": "SGD Adam AdamW",
            "data": "DataLoader TensorDataset Dataset",
            "pictures": "render",
        }.items()
        for name in names.split()
    },
    "inference_mode": "tinytorch.no_grad() does as much here",
}


def explanation(name: str) -> str:
    """Say why there is no such name in the package."""
    said = f"module 'tinytorch' has no attribute {name!r}"
    return f"{said}: {MEANINGS[name]}" if name in MEANINGS else said
