"""Makes the plain build smaller and faster: a folder in, the same folder with other files out. README.md explains the passes."""
