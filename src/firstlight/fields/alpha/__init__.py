"""The automatic weight scale: what a wide network's kernel expects, checked by short fits."""
