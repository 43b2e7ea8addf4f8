-- One row that lost against a later line of the same file although it said something else: never dropped without a word.
select lost.place as place, kept.place as kept
from newest as lost
join newest as kept on kept.key = lost.key and kept.as_of = lost.as_of and kept.nth = 1
where lost.nth > 1 and lost.sequence = kept.sequence and lost.content <> kept.content
order by place
