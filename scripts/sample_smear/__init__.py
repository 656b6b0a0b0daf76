"""A synthetic stained blood smear, drawn from a seed.

In: a seed, a size in pixels, the width of a red cell, the number of white cells.
Out: an RGB picture and the box, label and kind of every cell in it.
Needs: numpy and OpenCV. No pixel comes from a real picture.
"""
