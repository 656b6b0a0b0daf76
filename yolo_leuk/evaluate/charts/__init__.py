"""Pictures of figures, each kind in a file of its own; matplotlib is imported when one is drawn."""
