"""How the embedded recogniser is made. Needs the extra `train` (torch, scipy, onnx)."""
