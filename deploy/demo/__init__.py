"""A raffle to try at home: everything a seller and a buyer need, with a stand-in for Meta."""
