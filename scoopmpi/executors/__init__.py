"""What programs hold in their hands: executors and pools on a farm, and the values of maps."""
