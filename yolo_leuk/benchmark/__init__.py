"""How fast models run on this machine, and what memory they take.

In: nets, ensembles and pipelines, in every precision and for every runtime that is to be compared.
Out: benchmark.csv, benchmark.json, a picture.
Needs: onnxruntime; matplotlib for the picture; TensorRT for engines and torch for checkpoints.
"""
