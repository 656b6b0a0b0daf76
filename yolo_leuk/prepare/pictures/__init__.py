"""A picture on its way into a data set: read, its steps done, its cells known."""
