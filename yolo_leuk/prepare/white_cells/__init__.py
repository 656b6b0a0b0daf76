"""White cells in pictures without boxes: masks, boxes, crops."""
