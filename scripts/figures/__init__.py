"""The published figures of the shipped pipeline: what each is, on which data, with which interval."""
