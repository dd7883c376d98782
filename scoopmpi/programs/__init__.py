"""Programs that are ready to run: `myscoop picalc 3000 5000`. Each is a program like a user's."""
