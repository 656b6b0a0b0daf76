"""How good a model is, on samples that it has not seen.

In: nets, ensembles, pipelines or tables of probabilities, and a data set of ``prepare``.
Out: metrics.json, report.html, pictures, a table of errors.
Needs: matplotlib and scikit-learn; pycocotools and scipy for detection; no torch.
"""
