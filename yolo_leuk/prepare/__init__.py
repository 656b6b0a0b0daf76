"""In: folders of pictures as their data sets come. Out: an Ultralytics data set and its manifest.

Needs: numpy, OpenCV, scikit-learn, scipy. The sources are only read.
"""
