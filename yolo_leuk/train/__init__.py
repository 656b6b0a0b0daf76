"""In: a data set of ``prepare``. Out: a run with checkpoints, an ONNX file and its model card.

Needs: the extra ``train`` (Ultralytics and torch).
"""
