"""Samples that no source has: composed fields, turned copies for balance."""
