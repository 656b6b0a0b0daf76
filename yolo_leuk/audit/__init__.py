"""In: a folder of pictures, prepared by us or not, and perhaps another one to compare it with.

Out: audit.json and audit.html: leakage between splits, and what gives the class away besides cells.
Needs: numpy and OpenCV; scikit-learn for the classifiers that look for shortcuts.
"""
