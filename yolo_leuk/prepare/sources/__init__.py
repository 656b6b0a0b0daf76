"""One file per kind of source; each turns a folder or zip as downloaded into source images."""
