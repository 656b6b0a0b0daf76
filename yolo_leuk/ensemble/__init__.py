"""Weights for a soft vote: the genetic search, and what it is compared with.

In: runs of ``train``, nets or tables of probabilities of the same samples.
Out: ``ensemble.json`` with the nets beside it, the comparison, the history of the search.
Needs: scikit-learn, scipy, matplotlib; no torch.
"""
