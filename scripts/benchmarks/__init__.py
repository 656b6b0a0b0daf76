"""Speed beside a peer: the same machine, the same run, medians of several rounds."""
