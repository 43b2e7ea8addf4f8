"""What the relay keeps: recipients' LINE accounts (sealed), texts, notices to send and their state. Never in the core's database."""
