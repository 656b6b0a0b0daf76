"""Nets as files that give the trained model's answer, on this machine or on a device.

In: a net, a checkpoint, an ensemble or a pipeline.
Out: a folder of ONNX files or engines with their cards, compared with what they were made from.
Needs: onnx; torch for a checkpoint, TensorRT for an engine.
"""
