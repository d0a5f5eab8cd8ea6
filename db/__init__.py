"""What the database knows: settings, the embedded server, the change log and the commands on each noun."""
