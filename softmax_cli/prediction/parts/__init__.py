"""A result in parts: a folder of files that is finished or visibly not."""
