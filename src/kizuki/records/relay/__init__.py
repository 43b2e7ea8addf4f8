"""What the relay keeps: recipients' LINE accounts (sealed), texts, notices to send. Never in the core's database."""
