"""What is installed, whether it fits together, and the command that mends what does not.

In: nothing but the machine. Out: a list of checks.
Needs: the standard library; onnxruntime is asked for its providers when it is there.
"""
