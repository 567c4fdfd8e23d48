"""Steps about ticket numbers: holding them, changing a hold, and looking for free ones."""
