-- One row per field of a source and thing done to its writings, with how often.
SELECT c.source, c.field, c.rule, c.flag, c.detail, c.writings, c.cells
FROM cleansing AS c
