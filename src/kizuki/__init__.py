"""きづき (kizuki): the city's decisions are data anyone can read; the code only carries them out, and can say why."""
