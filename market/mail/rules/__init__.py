"""Rules of notices: who is told when, what a mail says and how, what a server's answer means."""
