"""The other machines of a house, on which no service of pimains runs: hosts/NAME/ beside variables/, and all that talks with them."""
