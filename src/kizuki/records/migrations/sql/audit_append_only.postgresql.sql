-- The database itself refuses to change or delete what the audit log holds (PostgreSQL); one statement per paragraph.
CREATE FUNCTION kizuki_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'audit log is append-only'; END $$

CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE ON records_auditevent
FOR EACH ROW EXECUTE FUNCTION kizuki_audit_append_only()

CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON records_auditevent
FOR EACH STATEMENT EXECUTE FUNCTION kizuki_audit_append_only()

CREATE TRIGGER audit_subject_no_change BEFORE UPDATE OR DELETE ON records_auditsubject
FOR EACH ROW EXECUTE FUNCTION kizuki_audit_append_only()

CREATE TRIGGER audit_subject_no_truncate BEFORE TRUNCATE ON records_auditsubject
FOR EACH STATEMENT EXECUTE FUNCTION kizuki_audit_append_only()
