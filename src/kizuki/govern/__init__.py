"""may(), seals, audit chain, signatures: who may see what, decided without any framework."""
