-- One version: the key of its record as a fixed-width text, from the primary key's values.
select place, md5(key_text) as record_key
from record_key_text
order by place
