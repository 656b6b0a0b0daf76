"""In: images or folders of images, and a pipeline.

Out: per image annotated.jpg, cells.csv, result.json and cells.geojson; per run report.html.
Needs: numpy, OpenCV and the pipeline's runtime (onnxruntime for what is shipped).
"""
