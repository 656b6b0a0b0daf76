"""What other software makes of the same data, as it comes."""
