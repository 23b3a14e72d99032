"""Bytes here and elsewhere: paths, reading, writing whole files, compression, remote files."""
