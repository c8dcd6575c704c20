"""The monthly contract plan (4.manager.7, 4.director.5): proposed, settled, its completion submitted and signed off."""
