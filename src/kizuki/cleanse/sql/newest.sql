-- One record (key) on one known date: its rows numbered from the last word backwards. The later file wins, then the later line.
select
  place, key, as_of, sequence, content,
  row_number() over (partition by key, as_of order by sequence desc, line desc) as nth
from observation
