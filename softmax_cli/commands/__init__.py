"""One command, one file: the function bears the command's name, and the folder is the list of commands."""
