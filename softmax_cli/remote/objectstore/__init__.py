"""What reading from and writing to an object store needs: who we are there, what it answers, an upload."""
