-- E-mail notices. What is noticed, tried and sent is the worker's bookkeeping, by the real clock,
-- and no event; how somebody wants to be told is theirs, and its changes are events.

-- not notice, notice_fault, noticing: they follow from the log, and say of themselves how far
SELECT keep_recorded('notice_preferences');
SELECT keep_to_persons('notice_preferences');
SELECT keep_undeleted('notice_preferences', 'noticing');
SELECT keep_erasable('notice', 't.person = who.id OR speaks_of(t.facts::text, who)', 'facts');

INSERT INTO noticing (id, position, passed_at) VALUES (1, 0, clock_timestamp()), (2, 0, '-infinity');

CREATE INDEX notice_due ON notice (send_after, id) WHERE state = 'waiting';
CREATE INDEX notice_of_digest ON notice (person, digest_at, id)
    WHERE state = 'waiting' AND digest_at IS NOT NULL;
CREATE INDEX notice_list ON notice (person, made_at DESC, id DESC);
CREATE INDEX notice_failed ON notice (made_at) WHERE state = 'failed';
-- one row a kind and event, and one a kind for those that time brings about
CREATE UNIQUE INDEX notice_fault_once ON notice_fault (kind, event) NULLS NOT DISTINCT;
CREATE INDEX notice_fault_due ON notice_fault (retry_at) WHERE state = 'waiting';

ALTER TABLE notice_preferences
    ADD CONSTRAINT notice_preferences_person FOREIGN KEY (person) REFERENCES person (id),
    ADD CONSTRAINT notice_preferences_choices_known CHECK (
        CASE WHEN jsonb_typeof(choices) = 'object' THEN NOT jsonb_path_exists(choices, 'strict $.*
            ? (@.type() != "string" || !(@ == "at_once" || @ == "digest" || @ == "off"))')
        ELSE false END);
ALTER TABLE notice ADD CONSTRAINT notice_facts_are_named CHECK (jsonb_typeof(facts) = 'object');

-- What has been sent, skipped or failed stays that; a mail, once begun, keeps its name. (The facts
-- may still be erased.)
CREATE FUNCTION guard_told_notice() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.made_at := clock_timestamp();
        NEW.attempts := 0;
        NEW.mailing := NULL;
        NEW.claimed_until := NULL;
        NEW.sent_at := NULL;
    ELSIF OLD.state <> 'waiting' AND (NEW.state, NEW.mailing, NEW.sent_at, NEW.last_error)
              IS DISTINCT FROM (OLD.state, OLD.mailing, OLD.sent_at, OLD.last_error)
          OR OLD.mailing IS NOT NULL AND NEW.mailing IS DISTINCT FROM OLD.mailing THEN
        PERFORM refuse('notice_settled', 'What became of a notice, and the mail it goes in, stay.');
    ELSIF NEW.state = 'sent' AND OLD.state <> 'sent' THEN
        NEW.sent_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_told_notice BEFORE INSERT OR UPDATE ON notice
    FOR EACH ROW EXECUTE FUNCTION guard_told_notice();

CREATE FUNCTION guard_notice_preferences() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.version := 2;  -- version 1 is to have stated nothing
    IF TG_OP = 'UPDATE' THEN
        NEW.version := OLD.version + 1;
    END IF;
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER guard_notice_preferences BEFORE INSERT OR UPDATE ON notice_preferences
    FOR EACH ROW EXECUTE FUNCTION guard_notice_preferences();

-- For the status page, which anybody reads: how many, of everybody's, and nothing else.
CREATE FUNCTION mail_standing(OUT overdue bigint, OUT failed bigint, OUT given_up bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*) FROM notice WHERE state = 'waiting'
                AND coalesce(digest_at, made_at) < clock_timestamp() - interval '15 minutes'),
        (SELECT count(*) FROM notice WHERE state = 'failed'
                AND made_at > clock_timestamp() - interval '7 days'),
        (SELECT count(*) FROM notice_fault WHERE state = 'given_up')
$$;

-- Everybody sees their own notices for the organisation they act for, and who left it none.
ALTER TABLE notice ENABLE ROW LEVEL SECURITY;
CREATE POLICY notice_own ON notice FOR SELECT TO market_app
    USING (person = acting_person() AND organisation = acting_organisation());
CREATE POLICY worker_keeps ON notice TO market_worker USING (true) WITH CHECK (true);
CREATE POLICY guard_reads ON notice FOR SELECT TO market_guard USING (true);
ALTER TABLE notice_preferences ENABLE ROW LEVEL SECURITY;
CREATE POLICY notice_preferences_own ON notice_preferences TO market_app
    USING (person = acting_person()) WITH CHECK (person = acting_person());
CREATE POLICY worker_reads ON notice_preferences FOR SELECT TO market_worker USING (true);

GRANT SELECT (id, kind, person, organisation, event, facts, made_at, state, digest_at, last_error,
    sent_at) ON notice TO market_app;
GRANT SELECT, INSERT ON notice_preferences TO market_app;
GRANT UPDATE (version, choices, changed_at) ON notice_preferences TO market_app;

GRANT SELECT, INSERT ON notice, notice_fault TO market_worker;
GRANT UPDATE (state, send_after, mailing, attempts, claimed_until, last_error, sent_at) ON notice
    TO market_worker;
GRANT UPDATE (state, attempts, retry_at, last_error, noted_at) ON notice_fault TO market_worker;
GRANT SELECT, UPDATE (position, passed_at) ON noticing TO market_worker;
GRANT SELECT ON notice_preferences TO market_worker;
-- whom a mail goes to, and whether they still belong there
GRANT SELECT (id, name, email) ON person TO market_worker;
GRANT SELECT (id, name) ON organisation TO market_worker;
GRANT SELECT (id, person, organisation, role, started_at, ended_at) ON membership TO market_worker;
GRANT SELECT ON notice, notice_fault TO market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION mail_standing() TO market_app;
