-- The promises about webhooks: a subscription is its maker's own and dies with their membership, its
-- secrets only end, nothing is delivered before the receiver has answered a challenge. Webhooks live
-- by the real clock, as credentials do.

SELECT keep_undeleted('webhook_subscription', 'webhook_secret', 'webhook_request');
SELECT keep_to_persons('webhook_subscription', 'webhook_secret', 'webhook_request');
SELECT keep_recorded('webhook_subscription');
SELECT keep_erasable('webhook_subscription', 't.person = who.id', 'url');
SELECT keep_erasable('webhook_secret', 'EXISTS (SELECT 1 FROM webhook_subscription s'
    ' WHERE s.id = t.subscription AND s.person = who.id)', 'wrapped');
-- That the worker erases the bytes of a secret that signs no more, and that it has carried out what
-- was asked, is bookkeeping and no event; so are cursors, deliveries and attempts altogether.
CREATE CONSTRAINT TRIGGER recorded_webhook_secret
    AFTER INSERT OR UPDATE OF signs_until ON webhook_secret
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION event_required();
CREATE CONSTRAINT TRIGGER recorded_webhook_request AFTER INSERT ON webhook_request
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION event_required();

-- what is done about webhooks is seen by those who see what is done about API keys
INSERT INTO colleague_action (action, roles, in_tender)
    SELECT 'webhook_subscription.' || act, '{administrator}', false
    FROM unnest(ARRAY['made', 'verified', 'verification_asked', 'replayed', 'paused', 'resumed',
        'rotated', 'ended', 'stopped']) act;

CREATE INDEX webhook_subscription_order ON webhook_subscription (organisation, made_at, id);
CREATE INDEX webhook_subscription_open ON webhook_subscription (id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX webhook_secret_one_current ON webhook_secret (subscription)
    WHERE signs_until IS NULL;
CREATE INDEX webhook_request_open ON webhook_request (subscription, asked_at) WHERE done_at IS NULL;
CREATE INDEX webhook_delivery_due ON webhook_delivery (subscription, next_attempt_at)
    WHERE outcome IS NULL;
CREATE INDEX webhook_delivery_claimed ON webhook_delivery (subscription) WHERE claim IS NOT NULL;
CREATE INDEX webhook_delivery_line ON webhook_delivery (subscription, subject, position)
    WHERE outcome IS NULL;
CREATE INDEX webhook_delivery_log ON webhook_delivery (subscription, made_at, id);
CREATE INDEX webhook_delivery_ended ON webhook_delivery (subscription, outcome, position)
    WHERE outcome IS NOT NULL;
CREATE INDEX webhook_delivery_challenge ON webhook_delivery (subscription, made_at)
    WHERE type = 'webhook.verification';
CREATE INDEX webhook_delivery_settled ON webhook_delivery (settled_at) WHERE outcome IS NOT NULL;
CREATE INDEX webhook_attempt_time ON webhook_attempt (made_at);

-- -- subscriptions ----------------------------------------------------------------------------------

-- What a webhook's deliveries show of its receiver; the worker alone writes them.
CREATE FUNCTION webhook_delivery_shows(of_subscription uuid, what text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE what
        WHEN 'verified' THEN EXISTS (SELECT 1 FROM webhook_delivery d
            WHERE d.subscription = of_subscription AND d.type = 'webhook.verification'
            AND d.outcome = 'delivered')
        WHEN 'receiver_gone' THEN EXISTS (SELECT 1 FROM webhook_delivery d
            WHERE d.subscription = of_subscription AND d.outcome = 'gone')
        WHEN 'too_many_dead' THEN EXISTS (SELECT 1 FROM webhook_cursor c
            WHERE c.subscription = of_subscription AND c.dead_in_a_row >= 10)
        ELSE false END
$$;

-- Who acts is a person with a right to it, or nobody: the market itself, which records what the
-- deliveries and memberships show and can do nothing else.
CREATE FUNCTION guard_webhook_subscription() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- held, so that no two requests exceed the number and the role does not end meanwhile
        PERFORM 1 FROM organisation WHERE id = NEW.organisation FOR NO KEY UPDATE;
        PERFORM 1 FROM person WHERE id = NEW.person FOR NO KEY UPDATE;
        IF NEW.person IS DISTINCT FROM acting_person()
           OR NEW.organisation IS DISTINCT FROM acting_organisation()
           OR NOT EXISTS (SELECT 1 FROM membership m WHERE m.id = NEW.membership
                AND m.person = NEW.person AND m.organisation = NEW.organisation
                AND m.ended_at IS NULL AND m.role IN ('administrator', 'bid_manager')) THEN
            PERFORM refuse('webhook_for_own_organisation', 'Administrators and bid managers make'
                ' webhooks, for themselves and for the organisation they act for.');
        END IF;
        IF (SELECT count(*) FROM webhook_subscription s WHERE s.organisation = NEW.organisation
            AND s.ended_at IS NULL) >= 20 THEN
            PERFORM refuse('webhooks_bounded', 'An organisation has at most 20 webhooks.');
        END IF;
        NEW.start_after := least(NEW.start_after, (SELECT position FROM sequencer));
        NEW.version := 1;
        NEW.made_at := clock_timestamp();
        NEW.verified_at := NULL;
        NEW.paused_at := NULL;
        NEW.paused_because := NULL;
        NEW.resumed_at := NULL;
        NEW.ended_at := NULL;
        NEW.ended_because := NULL;
        RETURN NEW;
    END IF;
    IF erasing() = OLD.person THEN
        RETURN NEW;
    END IF;
    IF OLD.ended_at IS NOT NULL OR NEW.version <> OLD.version + 1
       OR (NEW.id, NEW.organisation, NEW.person, NEW.membership, NEW.url, NEW.types, NEW.tender,
           NEW.start_after, NEW.made_at)
          IS DISTINCT FROM (OLD.id, OLD.organisation, OLD.person, OLD.membership, OLD.url,
           OLD.types, OLD.tender, OLD.start_after, OLD.made_at)
       OR OLD.verified_at IS NOT NULL AND NEW.verified_at IS NULL THEN
        PERFORM refuse('webhook_only_ends',
            'A webhook is verified, paused, resumed and ended; nothing else of it changes.');
    END IF;
    IF acting_person() IS NULL THEN
        IF (NEW.verified_at IS NOT NULL AND OLD.verified_at IS NULL
                AND NOT webhook_delivery_shows(OLD.id, 'verified'))
           OR (NEW.paused_at IS DISTINCT FROM OLD.paused_at
                AND (NEW.paused_because IS DISTINCT FROM 'too_many_dead'
                     OR NOT webhook_delivery_shows(OLD.id, 'too_many_dead')))
           OR (NEW.ended_because = 'receiver_gone'
                AND NOT webhook_delivery_shows(OLD.id, 'receiver_gone'))
           OR (NEW.ended_because = 'membership_ended' AND EXISTS (SELECT 1 FROM membership m
                WHERE m.id = OLD.membership AND m.ended_at IS NULL))
           OR NEW.ended_because = 'by_person' THEN
            PERFORM refuse('webhook_verified_by_answer', 'The market records of a webhook what its'
                ' deliveries and its maker''s membership show, and nothing else.');
        END IF;
    ELSE
        IF NEW.verified_at IS DISTINCT FROM OLD.verified_at
           OR NEW.paused_because = 'too_many_dead' AND OLD.paused_at IS NULL
           OR NEW.ended_because IN ('receiver_gone', 'membership_ended') THEN
            PERFORM refuse('webhook_verified_by_answer',
                'No person says of a webhook what its deliveries must show.');
        END IF;
        -- its maker does all of it; administrators and the registrar only what takes away
        IF NOT (OLD.person = acting_person() AND OLD.organisation = acting_organisation())
           AND (OLD.paused_at IS NOT NULL AND NEW.paused_at IS NULL OR NOT EXISTS (
                SELECT 1 FROM membership m WHERE m.person = acting_person()
                AND m.organisation = acting_organisation() AND m.ended_at IS NULL
                AND (m.role = 'registrar'
                     OR m.role = 'administrator' AND m.organisation = OLD.organisation))) THEN
            PERFORM refuse('webhook_of_another', 'Only its maker resumes or rotates a webhook; they,'
                ' an administrator of the organisation or a registrar pause or end it.');
        END IF;
    END IF;
    NEW.verified_at := CASE WHEN OLD.verified_at IS NULL AND NEW.verified_at IS NOT NULL
        THEN clock_timestamp() ELSE OLD.verified_at END;
    IF OLD.paused_at IS NULL AND NEW.paused_at IS NOT NULL THEN
        NEW.paused_at := clock_timestamp();
    ELSIF NEW.paused_at IS NOT NULL THEN
        NEW.paused_at := OLD.paused_at;
        NEW.paused_because := OLD.paused_because;
    END IF;
    NEW.resumed_at := CASE WHEN OLD.paused_at IS NOT NULL AND NEW.paused_at IS NULL
        THEN clock_timestamp() ELSE OLD.resumed_at END;
    IF NEW.ended_at IS NOT NULL THEN
        NEW.ended_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_webhook_subscription BEFORE INSERT OR UPDATE ON webhook_subscription
    FOR EACH ROW EXECUTE FUNCTION guard_webhook_subscription();
-- a webhook, and a secret, outlive the session in which they are made
CREATE TRIGGER fresh_webhook_subscription BEFORE INSERT ON webhook_subscription
    FOR EACH ROW EXECUTE FUNCTION ensure_fresh_session();
CREATE TRIGGER fresh_webhook_secret BEFORE INSERT ON webhook_secret
    FOR EACH ROW EXECUTE FUNCTION ensure_fresh_session();

-- -- secrets ----------------------------------------------------------------------------------------

CREATE FUNCTION guard_webhook_secret() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE whose webhook_subscription;
BEGIN
    IF rewrapping() THEN
        RETURN NEW;  -- the same secret under another key: see guard_wrapped
    END IF;
    -- held, so that rotations are decided one after another
    SELECT * INTO whose FROM webhook_subscription WHERE id = NEW.subscription FOR NO KEY UPDATE;
    IF TG_OP = 'INSERT' THEN
        IF whose.ended_at IS NOT NULL THEN
            PERFORM refuse('webhook_only_ends', 'This webhook has ended.');
        END IF;
        IF whose.person IS DISTINCT FROM acting_person()
           OR whose.organisation IS DISTINCT FROM acting_organisation() THEN
            PERFORM refuse('webhook_of_another', 'Only its maker gives a webhook a secret.');
        END IF;
        IF (SELECT count(*) FROM webhook_secret s WHERE s.subscription = NEW.subscription
            AND (s.signs_until IS NULL OR s.signs_until > clock_timestamp())) >= 4 THEN
            PERFORM refuse('webhook_secrets_bounded', 'At most four secrets of a webhook sign.');
        END IF;
        NEW.made_at := clock_timestamp();
        NEW.signs_until := NULL;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.subscription, NEW.made_at) IS DISTINCT FROM (OLD.id, OLD.subscription,
        OLD.made_at)
       OR NEW.signs_until IS NULL AND OLD.signs_until IS NOT NULL
       OR NEW.signs_until > coalesce(OLD.signs_until, clock_timestamp() + interval '24 hours')
       OR NEW.wrapped IS DISTINCT FROM OLD.wrapped AND (NEW.wrapped IS NOT NULL
           OR whose.ended_at IS NULL AND coalesce(OLD.signs_until > clock_timestamp(), true)) THEN
        PERFORM refuse('webhook_secret_only_ends', 'A secret that is replaced signs for at most 24'
            ' hours more; its bytes are erased when it signs no more, and never changed.');
    END IF;
    -- the worker, for which nobody acts, erases; when a secret ends is its maker's to say
    IF NEW.signs_until IS DISTINCT FROM OLD.signs_until
       AND (whose.person IS DISTINCT FROM acting_person()
            OR whose.organisation IS DISTINCT FROM acting_organisation()) THEN
        PERFORM refuse('webhook_of_another', 'Only its maker replaces a webhook''s secret.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_webhook_secret BEFORE INSERT OR UPDATE ON webhook_secret
    FOR EACH ROW EXECUTE FUNCTION guard_webhook_secret();

-- -- requests to the worker -------------------------------------------------------------------------

CREATE FUNCTION guard_webhook_request() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE whose webhook_subscription;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.done_at IS NOT NULL
           OR (NEW.id, NEW.subscription, NEW.kind, NEW.delivery, NEW.after, NEW.asked_by,
               NEW.asked_at) IS DISTINCT FROM (OLD.id, OLD.subscription, OLD.kind, OLD.delivery,
               OLD.after, OLD.asked_by, OLD.asked_at) THEN
            PERFORM refuse('webhook_only_ends', 'What was asked for is carried out once.');
        END IF;
        NEW.done_at := clock_timestamp();
        RETURN NEW;
    END IF;
    SELECT * INTO whose FROM webhook_subscription WHERE id = NEW.subscription FOR NO KEY UPDATE;
    IF whose.ended_at IS NOT NULL THEN
        PERFORM refuse('webhook_only_ends', 'This webhook has ended.');
    END IF;
    IF whose.person IS DISTINCT FROM acting_person()
       OR whose.organisation IS DISTINCT FROM acting_organisation() THEN
        PERFORM refuse('webhook_of_another', 'Only its maker has a webhook verified or replayed.');
    END IF;
    IF NEW.kind = 'delivery' AND NOT EXISTS (SELECT 1 FROM webhook_delivery d
        WHERE d.id = NEW.delivery AND d.subscription = NEW.subscription
        AND d.outcome IS NOT NULL AND d.type <> 'webhook.verification') THEN
        PERFORM refuse('webhook_replay_of_own',
            'Only a delivery of this webhook that has ended is delivered again.');
    END IF;
    IF (SELECT count(*) FROM webhook_request r WHERE r.subscription = NEW.subscription
        AND r.done_at IS NULL) >= 10 THEN
        PERFORM refuse('webhook_requests_bounded', 'Ten requests wait to be carried out.');
    END IF;
    NEW.asked_by := acting_person();
    NEW.asked_at := clock_timestamp();
    NEW.done_at := NULL;
    NEW.reopened := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_webhook_request BEFORE INSERT OR UPDATE ON webhook_request
    FOR EACH ROW EXECUTE FUNCTION guard_webhook_request();

-- -- retention --------------------------------------------------------------------------------------

-- Attempts, and deliveries that ended, are kept for thirty days; so many of each go in one pass.
-- Gives how many went. The events themselves are in the log, and can be delivered again from there.
CREATE FUNCTION forget_webhook_deliveries(at_most integer) RETURNS integer LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    attempts integer;
    deliveries integer;
BEGIN
    DELETE FROM webhook_attempt WHERE id IN (SELECT a.id FROM webhook_attempt a
        WHERE a.made_at < clock_timestamp() - interval '30 days' LIMIT at_most);
    GET DIAGNOSTICS attempts = ROW_COUNT;
    DELETE FROM webhook_delivery WHERE id IN (
        (SELECT d.id FROM webhook_delivery d
         WHERE d.outcome IS NOT NULL AND d.settled_at < clock_timestamp() - interval '30 days'
         LIMIT at_most)
        UNION ALL
        (SELECT d.id FROM webhook_subscription s JOIN webhook_delivery d ON d.subscription = s.id
         WHERE s.ended_at < clock_timestamp() - interval '30 days' AND d.outcome IS NULL
         LIMIT at_most));
    GET DIAGNOSTICS deliveries = ROW_COUNT;
    RETURN attempts + deliveries;
END $$;

-- -- who may what -----------------------------------------------------------------------------------

GRANT SELECT, INSERT ON webhook_subscription, webhook_secret, webhook_request TO market_app;
GRANT UPDATE (version, verified_at, paused_at, paused_because, ended_at, ended_because)
    ON webhook_subscription TO market_app;
GRANT UPDATE (signs_until) ON webhook_secret TO market_app;
GRANT SELECT ON webhook_cursor, webhook_delivery, webhook_attempt TO market_app;

GRANT SELECT ON webhook_subscription, webhook_secret, webhook_request, webhook_cursor,
    webhook_delivery, webhook_attempt TO market_worker;
GRANT SELECT (id, person, organisation, role, ended_at) ON membership TO market_worker;
GRANT UPDATE (wrapped) ON webhook_secret TO market_worker;
GRANT UPDATE (done_at, reopened) ON webhook_request TO market_worker;
GRANT INSERT ON webhook_cursor, webhook_delivery, webhook_attempt TO market_worker;
GRANT UPDATE (fanned_out_to, fanned_out_at, claimed_until, dead_in_a_row, dead_at)
    ON webhook_cursor TO market_worker;
GRANT UPDATE (attempts, next_attempt_at, claim, claimed_until, outcome, settled_at)
    ON webhook_delivery TO market_worker;

GRANT SELECT, UPDATE ON webhook_subscription TO market_guard;
GRANT SELECT ON webhook_secret, webhook_request, webhook_cursor, sequencer TO market_guard;
GRANT SELECT, DELETE ON webhook_delivery, webhook_attempt TO market_guard;

-- An organisation's webhooks are seen by it alone, and by the registrar, who may end them; secrets,
-- though they are wrapped, by their maker alone.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['webhook_subscription', 'webhook_secret', 'webhook_request',
        'webhook_cursor', 'webhook_delivery', 'webhook_attempt'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY %I ON %I TO market_guard USING (true) WITH CHECK (true)',
            name || '_guard', name);
        EXECUTE format('CREATE POLICY %I ON %I TO market_worker USING (true) WITH CHECK (true)',
            name || '_worker', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['webhook_request', 'webhook_cursor', 'webhook_delivery'] LOOP
        EXECUTE format('CREATE POLICY %I ON %I TO market_app USING (EXISTS (SELECT 1 FROM'
            ' webhook_subscription s WHERE s.id = %I.subscription))', name || '_seen', name, name);
    END LOOP;
END $$;
CREATE POLICY webhook_subscription_own ON webhook_subscription TO market_app
    USING (organisation = acting_organisation() OR EXISTS (SELECT 1 FROM membership m
        WHERE m.person = acting_person() AND m.organisation = acting_organisation()
        AND m.role = 'registrar' AND m.ended_at IS NULL));
CREATE POLICY webhook_secret_own ON webhook_secret TO market_app
    USING (EXISTS (SELECT 1 FROM webhook_subscription s WHERE s.id = webhook_secret.subscription
        AND s.person = acting_person() AND s.organisation = acting_organisation()));
CREATE POLICY webhook_attempt_seen ON webhook_attempt TO market_app
    USING (EXISTS (SELECT 1 FROM webhook_delivery d WHERE d.id = webhook_attempt.delivery));

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION forget_webhook_deliveries(integer) TO market_worker;
