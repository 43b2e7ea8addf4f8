-- Every relation read from living in one household.
select * from cohabited
