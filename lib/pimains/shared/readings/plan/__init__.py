"""What readings mean: amounts, flows, periods, prices; it reads nothing."""
