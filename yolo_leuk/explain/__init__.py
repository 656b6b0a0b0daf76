"""Heat maps: what in a picture a net's answer rests on.

In: a net, an ensemble or a pipeline, and pictures.
Out: ``runs/explain/<name>``: heat maps as pictures and numbers, activations, a table, a report.
Needs: pictures by matplotlib, which is loaded when they are drawn; captum and torch for class
activation maps and activations alone.
"""
