"""Ways from a module to the factors of its layers."""
