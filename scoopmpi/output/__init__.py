"""What tasks and the program print, on its way to the user: whole lines, in one order."""
