"""The export itself, run in a child process of `retrieval.embedders.export`: the only module that loads torch."""

import importlib.metadata
import inspect
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.embedders.base import EmbedderError, Vectors
from retrieval.embedders.layout import Layout, file_sha256, read_layout, weights_sha256
from retrieval.embedders.manifest import FORMAT, GRAPH_FILE, TOKENIZER_FILE, Manifest, write_manifest
from retrieval.embedders.onnx import OnnxEmbedder
from retrieval.limits import MAX_PARITY_DIFFERENCE, MAX_WINDOW_TOKENS

OPSET = 17
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_LIBRARIES = ("torch", "transformers", "sentence-transformers", "tokenizers", "onnx", "onnxruntime")

_HUB_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
_HUB_IGNORED = ("onnx/*", "openvino/*", "*.msgpack")

PARITY_TEXTS: tuple[str, ...] = (
    "",
    "Hello",
    "  surrounded by spaces \n",
    "UPPER CASE, Title Case and lower case",
    "Caroline went to a support group yesterday, and it was powerful.",
    "Ich habe die Schlüssel am Freitag in Köln verloren – ärgerlich!",
    "L'été dernier, nous avons mangé des crêpes à Saint-Malo.",
    "Вчера мы ездили на озеро и ловили рыбу.",
    "昨天我和朋友一起去看了一场电影。",
    "来週の火曜日に歯医者の予約があります。",
    "지난주에 부모님을 만나러 부산에 갔어요.",
    "ذهبت إلى السوق يوم السبت الماضي واشتريت بعض الفاكهة.",
    "पिछले हफ़्ते हम दिल्ली गए थे।",
    "🎉 party at 7:30pm @ Joe's 🍕🍕 #fun https://example.org/a?b=c&d=e",
    "def f(x: int) -> int:\n    return x ** 2 + 1  # squares 12345 and 0.5",
    "A long story, longer than the window, is cut at its end in the same place. " * 60,
)
"""Of mixed lengths and scripts; the last is longer than any window, so that cutting is compared too."""


def main(arguments: Sequence[str]) -> int:
    """Exports as the task, a JSON object, says. The last line on stderr says what went wrong."""
    task = json.loads(arguments[0])
    warnings.simplefilter("ignore")
    try:
        parity = export(task["model"], task["label"], Path(task["folder"]), local=task["local"])
    except ImportError as error:
        print(
            f"{error}. Exporting needs torch, sentence-transformers and onnx: install the server extra.",
            file=sys.stderr,
        )
        return 1
    except EmbedderError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    print(f"parity {parity:.1e}")
    return 0


def export(source: str, label: str, folder: Path, *, local: bool) -> float:
    """Writes graph, tokenizer and manifest into the empty `folder`; returns the largest difference found.

    Raises EmbedderError, or ImportError if a library is missing.
    """
    source_folder = Path(source) if local else _downloaded(source)
    layout = read_layout(source_folder)
    model = _load(source_folder)
    model.max_seq_length = min(int(model.max_seq_length or MAX_WINDOW_TOKENS), MAX_WINDOW_TOKENS)
    expected: Vectors = np.asarray(
        model.encode(list(PARITY_TEXTS), normalize_embeddings=True, batch_size=8), np.float32
    )
    _write_tokenizer(model.tokenizer, folder / TOKENIZER_FILE)
    _write_graph(model, folder / GRAPH_FILE)
    write_manifest(folder, _manifest(model, layout, label, folder, expected.shape[1], parity=float("inf")))
    parity = _difference(folder, expected)
    write_manifest(folder, _manifest(model, layout, label, folder, expected.shape[1], parity=parity))
    return parity


def _downloaded(name: str) -> Path:
    """The hub's files of the model, in the hub client's own cache; weights in older formats only if there are no others.

    Loading by folder and not by name: the same files then give the same window and pooling wherever they come from.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        folder = Path(snapshot_download(name, allow_patterns=list(_HUB_FILES), ignore_patterns=list(_HUB_IGNORED)))
        if not any(folder.rglob("*.safetensors")):
            snapshot_download(name, allow_patterns="*pytorch_model*.bin")
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise EmbedderError(
            f"{name} cannot be had from the hub (the first time needs a network): {_first_line(error)}"
        ) from error
    return folder


def _load(folder: Path) -> Any:
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(str(folder), device="cpu", local_files_only=True).float().eval()
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise EmbedderError(f"{folder.name} cannot be loaded: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), repr(error))


def _write_tokenizer(tokenizer: Any, path: Path) -> None:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise EmbedderError(f"{type(tokenizer).__name__} has no fast tokenizer to export.")
    backend.save(str(path))


def _write_graph(model: Any, path: Path) -> None:
    """Traces the transformer; the outputs are its token vectors, shape (batch, tokens, dimension)."""
    import torch

    transformer = model[0].auto_model
    # TorchScript traces eager attention into plain operators, which ONNX Runtime fuses.
    transformer.set_attn_implementation("eager")
    example = model.tokenizer(["a short text", "one that is a little longer"], padding=True, return_tensors="pt")
    accepted = inspect.signature(transformer.forward).parameters
    names = [name for name in _INPUTS if name in example and name in accepted]

    class TokenVectors(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transformer = transformer

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self.transformer(**dict(zip(names, inputs, strict=True))).last_hidden_state

    # The TorchScript exporter: its graph runs a query in 2.0 ms on two cores where the dynamo exporter's takes 7.3 ms.
    torch.onnx.export(
        TokenVectors().eval(),
        tuple(example[name] for name in names),
        str(path),
        input_names=names,
        output_names=["token_vectors"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*names, "token_vectors"]},
        opset_version=OPSET,
        dynamo=False,
    )


def _manifest(model: Any, layout: Layout, label: str, folder: Path, dimension: int, *, parity: float) -> Manifest:
    return Manifest(
        format=FORMAT,
        label=label,
        source_sha256=weights_sha256(layout.transformer),
        pooling=layout.pooling,
        lower_case=bool(getattr(model[0], "do_lower_case", False)),
        max_tokens=model.max_seq_length,
        dimension=dimension,
        pad_id=int(model.tokenizer.pad_token_id or 0),
        parity=parity,
        versions={name: importlib.metadata.version(name) for name in _LIBRARIES},
        files={path.name: file_sha256(path) for path in sorted(folder.iterdir()) if path.name != "manifest.json"},
    )


def _difference(folder: Path, expected: Vectors) -> float:
    """Largest difference of any component between the export, run as it will be run, and sentence-transformers.

    Raises EmbedderError if it is not small: then pooling, prompt or tokenizer are not what the model's files say.
    """
    embedder = OnnxEmbedder(folder)
    singles = np.concatenate([embedder.embed([text]) for text in PARITY_TEXTS])
    parity = max(float(np.abs(found - expected).max()) for found in (embedder.embed(PARITY_TEXTS), singles))
    if not parity < MAX_PARITY_DIFFERENCE:
        raise EmbedderError(
            f"the exported model's vectors differ from sentence-transformers' by {parity:.1e} (at most "
            f"{MAX_PARITY_DIFFERENCE:.0e} is accepted). Models with a default prompt or custom code are not supported."
        )
    return parity
