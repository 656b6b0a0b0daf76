"""Runtimes that run a net: one protocol, one file per runtime, chosen by the file's suffix."""
