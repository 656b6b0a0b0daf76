"""The published figures of the shipped pipeline: what each is, on which data, how sure."""
