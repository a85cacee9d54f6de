"""The functions of networks, gathered from the files of their concepts."""
