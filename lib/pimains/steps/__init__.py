"""What the steps in halt.d do for which a shell is not enough; the halt service starts each as a program of its own."""
