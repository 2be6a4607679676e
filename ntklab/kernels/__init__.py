"""Kernels of networks: infinite width, finite width and classical, in tiles within a memory budget."""
