-- Guards stay where they are: outside a migration nobody, a superuser included, alters a table,
-- a trigger, a policy or a function by mistake. Malice is for the log to detect.
CREATE OR REPLACE FUNCTION guards_stay() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('market.migrating', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION USING ERRCODE = 'MK001', CONSTRAINT = 'guards_stay',
            MESSAGE = format('%s is refused outside a migration.', tg_tag);
    END IF;
END $$;
DROP EVENT TRIGGER IF EXISTS guards_stay;
-- REASSIGN OWNED would belong here too, but PostgreSQL has no event for it.
CREATE EVENT TRIGGER guards_stay ON ddl_command_start
    WHEN TAG IN ('ALTER TABLE', 'DROP TABLE', 'ALTER TRIGGER', 'DROP TRIGGER', 'CREATE TRIGGER',
        'ALTER FUNCTION', 'DROP FUNCTION', 'CREATE FUNCTION', 'ALTER ROUTINE', 'DROP ROUTINE',
        'ALTER PROCEDURE', 'DROP PROCEDURE', 'CREATE PROCEDURE', 'ALTER POLICY', 'DROP POLICY',
        'CREATE POLICY', 'ALTER INDEX', 'DROP INDEX', 'ALTER SCHEMA', 'DROP SCHEMA', 'DROP OWNED',
        'CREATE RULE', 'ALTER RULE', 'DROP RULE', 'GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES')
    EXECUTE FUNCTION guards_stay();
ALTER EVENT TRIGGER guards_stay ENABLE ALWAYS;
