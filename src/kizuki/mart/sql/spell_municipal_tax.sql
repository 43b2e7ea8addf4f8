-- One tax year of one person: the classification and income that hold from June to the next May.
select
  l.person_id, 'tax_year' as kind, coalesce(c.label, t.tax_class) as status, cast(null as varchar) as facility,
  cast(t.fiscal_year as varchar) as detail, cast(t.income_yen as double) as amount,
  make_date(cast(t.fiscal_year as int), 6, 1) as valid_from, make_date(cast(t.fiscal_year as int) + 1, 6, 1) as valid_to,
  t.told_from as known_from, t.told_to as known_to, t.gone_on, t.delivery_id, t.record_id
from told as t
join link as l on l.record_id = t.person_no
left join category as c on c.source = 'municipal_tax' and c.field = 'tax_class' and c.code = t.tax_class
