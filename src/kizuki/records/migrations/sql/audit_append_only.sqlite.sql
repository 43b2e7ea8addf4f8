-- The database itself refuses to change or delete what the audit log holds (SQLite); one statement per paragraph.
CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON records_auditevent
BEGIN SELECT RAISE(ABORT, 'audit log is append-only'); END

CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON records_auditevent
BEGIN SELECT RAISE(ABORT, 'audit log is append-only'); END

CREATE TRIGGER audit_subject_no_update BEFORE UPDATE ON records_auditsubject
BEGIN SELECT RAISE(ABORT, 'audit log is append-only'); END

CREATE TRIGGER audit_subject_no_delete BEFORE DELETE ON records_auditsubject
BEGIN SELECT RAISE(ABORT, 'audit log is append-only'); END
