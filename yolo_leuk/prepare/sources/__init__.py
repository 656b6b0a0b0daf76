"""One file per kind of source; each turns a folder as it was downloaded into source images."""
