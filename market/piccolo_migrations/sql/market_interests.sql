-- The registers of interests, gifts and breaches: whose act each row is, and that it stays.
SELECT keep_append_only('interest', 'interest_ending', 'interest_mitigation',
    'interest_confirmation', 'gift', 'gift_review', 'consent_decision', 'conflict_breach',
    'conflict_breach_person', 'conflict_breach_publication');
SELECT keep_recorded('interest', 'interest_ending', 'interest_mitigation',
    'interest_confirmation', 'gift', 'gift_review', 'consent_decision', 'conflict_breach',
    'conflict_breach_person', 'conflict_breach_publication');
SELECT keep_to_persons('interest', 'interest_ending', 'interest_mitigation',
    'interest_confirmation', 'gift', 'gift_review', 'consent_decision', 'conflict_breach',
    'conflict_breach_person', 'conflict_breach_publication');
-- The words of what people declared, and of what was said about it; that there was something stays.
SELECT keep_erasable('interest', 't.person = who.id', 'associate', 'counterparty', 'business',
    'nature', 'consent_refused_because');
SELECT keep_erasable('interest_mitigation',
    'EXISTS (SELECT 1 FROM interest i WHERE i.id = t.interest AND i.person = who.id)', 'what');
SELECT keep_erasable('gift', 't.person = who.id', 'detail', 'offeror', 'business', 'reason',
    'consent_refused_because');
SELECT keep_erasable('gift_review',
    'EXISTS (SELECT 1 FROM gift g WHERE g.id = t.gift AND g.person = who.id)', 'comment');
SELECT keep_erasable('consent_decision',
    'EXISTS (SELECT 1 FROM interest i WHERE i.id = t.interest AND i.person = who.id)'
    ' OR EXISTS (SELECT 1 FROM gift g WHERE g.id = t.gift AND g.person = who.id)', 'reason');
SELECT keep_erasable('conflict_breach_person', 't.person = who.id', 'name');
CREATE INDEX interest_counterparty ON interest (scheme, identifier) WHERE scheme IS NOT NULL;

-- Civil dates of the registers are London's.
CREATE FUNCTION register_day(instant timestamptz) RETURNS date LANGUAGE sql STABLE AS
$$ SELECT (instant AT TIME ZONE 'Europe/London')::date $$;

-- Whether the acting person holds, now, one of some roles in the organisation, and acts for it.
CREATE FUNCTION acts_on_register(of_organisation uuid, VARIADIC roles text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT acting_organisation() = of_organisation AND EXISTS (
        SELECT 1 FROM membership m WHERE m.person = acting_person()
        AND m.organisation = of_organisation AND m.role = ANY (roles) AND m.ended_at IS NULL)
$$;

-- What an entry in a register needs: it is made in one's own name or by the guardian, about
-- somebody who is a member (for a correction: who is or was). Holds the person's row, so that
-- memberships, interests and duties of one person are decided one after another.
CREATE FUNCTION ensure_entry(about uuid, of_organisation uuid, correction boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM person WHERE id = about FOR NO KEY UPDATE;
    IF about IS DISTINCT FROM acting_person()
       AND NOT acts_on_register(of_organisation, 'conflicts_guardian') THEN
        PERFORM refuse('register_in_own_name', 'An entry is made by the person it is about, or by'
            ' the organisation''s conflicts guardian.');
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM membership m WHERE m.person = about AND m.organisation = of_organisation
        AND (correction OR m.ended_at IS NULL)
    ) THEN
        PERFORM refuse('register_of_members', 'A register holds entries about members alone.');
    END IF;
END $$;

-- What a guardian entered, or decided to, is not undone by the person it is about.
CREATE FUNCTION ensure_not_guardians(about uuid, entered uuid) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF entered <> about AND about = acting_person() THEN
        PERFORM refuse('guardian_s_entry_stands', 'The guardian made this entry: only a guardian'
            ' other than the person it is about corrects or ends it.');
    END IF;
END $$;

CREATE FUNCTION guard_interest() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE earlier interest;
BEGIN
    PERFORM ensure_entry(NEW.person, NEW.for_organisation, NEW.supersedes IS NOT NULL);
    NEW.entered_by := acting_person();
    NEW.declared_at := market_now();
    NEW.origin := NEW.id;
    IF NEW.supersedes IS NOT NULL THEN
        SELECT * INTO earlier FROM interest WHERE id = NEW.supersedes;
        IF (earlier.person, earlier.for_organisation)
           IS DISTINCT FROM (NEW.person, NEW.for_organisation) THEN
            PERFORM refuse('correction_of_the_same',
                'A correction is about the same person, in the same register.');
        END IF;
        PERFORM ensure_not_guardians(NEW.person, earlier.entered_by);
        NEW.origin := earlier.origin;
    END IF;
    IF NEW.aware_on > register_day(NEW.declared_at) THEN
        PERFORM refuse('nothing_from_the_future',
            'Nobody has become aware of an interest on a day that is still to come.');
    END IF;
    IF NEW.line_manager IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM membership m WHERE m.person = NEW.line_manager
        AND m.organisation = NEW.for_organisation AND m.ended_at IS NULL
    ) THEN
        PERFORM refuse('line_manager_is_a_member',
            'The line manager is a member of the same organisation.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_interest BEFORE INSERT ON interest
    FOR EACH ROW EXECUTE FUNCTION guard_interest();

CREATE FUNCTION guard_interest_ending() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE ended interest;
BEGIN
    SELECT * INTO ended FROM interest WHERE id = NEW.interest;
    PERFORM ensure_entry(ended.person, ended.for_organisation, true);
    PERFORM ensure_not_guardians(ended.person, ended.entered_by);
    NEW.recorded_by := acting_person();
    NEW.recorded_at := market_now();
    -- a correction waits for the person's row as this does: of the two, the second sees the first
    IF EXISTS (SELECT 1 FROM interest i WHERE i.supersedes = ended.id) THEN
        PERFORM refuse('ending_of_the_latest', 'This interest was corrected: end the correction.');
    END IF;
    IF NEW.ended_on < ended.starts_on OR NEW.ended_on > register_day(NEW.recorded_at) THEN
        PERFORM refuse('ending_after_start',
            'An interest has ended on a day from its start to today.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_interest_ending BEFORE INSERT ON interest_ending
    FOR EACH ROW EXECUTE FUNCTION guard_interest_ending();

CREATE FUNCTION guard_interest_mitigation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE about interest;
BEGIN
    SELECT * INTO about FROM interest WHERE id = NEW.interest;
    NEW.recorded_by := acting_person();
    NEW.recorded_at := market_now();
    IF about.person = acting_person()
       OR NOT (acts_on_register(about.for_organisation, 'conflicts_guardian')
               OR coalesce(about.line_manager = acting_person(), false)
                  AND EXISTS (SELECT 1 FROM membership m WHERE m.person = acting_person()
                              AND m.organisation = about.for_organisation
                              AND m.ended_at IS NULL)) THEN
        PERFORM refuse('mitigation_by_another', 'What is done about an interest is recorded by the'
            ' guardian or the line manager, never by its holder.');
    END IF;
    IF NEW.agreed_with = about.person OR NOT EXISTS (
        SELECT 1 FROM membership m WHERE m.person = NEW.agreed_with
        AND m.organisation = about.for_organisation AND m.ended_at IS NULL
    ) THEN
        PERFORM refuse('mitigation_agreed_with_another',
            'It is agreed with another member of the organisation than the holder.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_interest_mitigation BEFORE INSERT ON interest_mitigation
    FOR EACH ROW EXECUTE FUNCTION guard_interest_mitigation();

-- The interests of a person that stand in a register, as far as the asker sees them: the latest
-- versions, not ended.
CREATE FUNCTION interests_standing(of_person uuid, in_organisation uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT i.id FROM interest i LEFT JOIN interest_ending e ON e.interest = i.id
    WHERE i.person = of_person AND i.for_organisation = in_organisation
      AND NOT EXISTS (SELECT 1 FROM interest s WHERE s.supersedes = i.id)
      AND coalesce(e.ended_on, i.ends_on, 'infinity') > register_day(market_now())
$$;

-- "Nothing to declare" is said by somebody of whom nothing stands in the register; whoever declares
-- at the same moment holds the person's row, so that the second sees what the first did.
CREATE FUNCTION guard_interest_confirmation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.person IS DISTINCT FROM acting_person() THEN
        PERFORM refuse('confirmed_in_own_name', 'Everybody confirms their own interests.');
    END IF;
    PERFORM ensure_entry(NEW.person, NEW.organisation, false);
    NEW.confirmed_at := market_now();
    IF NEW.nothing_to_declare
       = EXISTS (SELECT 1 FROM interests_standing(NEW.person, NEW.organisation)) THEN
        PERFORM refuse('confirmation_is_true', 'There is nothing to declare exactly while no'
            ' interest of the person stands in the register.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_interest_confirmation BEFORE INSERT ON interest_confirmation
    FOR EACH ROW EXECUTE FUNCTION guard_interest_confirmation();

CREATE FUNCTION guard_gift() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE earlier gift;
BEGIN
    PERFORM ensure_entry(NEW.person, NEW.for_organisation, NEW.supersedes IS NOT NULL);
    NEW.entered_by := acting_person();
    NEW.declared_at := market_now();
    IF NEW.supersedes IS NOT NULL THEN
        SELECT * INTO earlier FROM gift WHERE id = NEW.supersedes;
        IF (earlier.person, earlier.for_organisation)
           IS DISTINCT FROM (NEW.person, NEW.for_organisation) THEN
            PERFORM refuse('correction_of_the_same',
                'A correction is about the same person, in the same register.');
        END IF;
        PERFORM ensure_not_guardians(NEW.person, earlier.entered_by);
    END IF;
    IF greatest(NEW.offered_on, NEW.received_on) > register_day(NEW.declared_at) THEN
        PERFORM refuse('nothing_from_the_future',
            'Nothing was offered or received on a day that is still to come.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_gift BEFORE INSERT ON gift
    FOR EACH ROW EXECUTE FUNCTION guard_gift();

CREATE FUNCTION guard_gift_review() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE about gift;
BEGIN
    SELECT * INTO about FROM gift WHERE id = NEW.gift;
    -- a correction waits for the person's row too
    PERFORM 1 FROM person WHERE id = about.person FOR NO KEY UPDATE;
    NEW.reviewed_by := acting_person();
    NEW.reviewed_at := market_now();
    IF acting_person() IN (about.person, about.entered_by)
       OR NOT acts_on_register(about.for_organisation, 'conflicts_guardian', 'lay_member') THEN
        PERFORM refuse('gift_reviewed_by_another', 'An offer is reviewed by a guardian or a lay'
            ' member who neither got it nor declared it.');
    END IF;
    IF EXISTS (SELECT 1 FROM gift g WHERE g.supersedes = about.id) THEN
        PERFORM refuse('review_of_the_latest', 'This was corrected: review the correction.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_gift_review BEFORE INSERT ON gift_review
    FOR EACH ROW EXECUTE FUNCTION guard_gift_review();

-- The guardian decides on a refusal of consent, and nobody on their own.
CREATE FUNCTION guard_consent_decision() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE about record;
BEGIN
    SELECT person, for_organisation, consents INTO about FROM interest WHERE id = NEW.interest;
    IF NEW.gift IS NOT NULL THEN
        SELECT person, for_organisation, consents INTO about FROM gift WHERE id = NEW.gift;
    END IF;
    NEW.decided_by := acting_person();
    NEW.decided_at := market_now();
    IF about.person = acting_person()
       OR NOT acts_on_register(about.for_organisation, 'conflicts_guardian') THEN
        PERFORM refuse('consent_decided_by_guardian', 'Whether a refusal of consent is accepted is'
            ' decided by a conflicts guardian other than the person who refused.');
    END IF;
    IF about.consents THEN
        PERFORM refuse('consent_was_refused', 'Consent was given: there is nothing to decide.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_consent_decision BEFORE INSERT ON consent_decision
    FOR EACH ROW EXECUTE FUNCTION guard_consent_decision();

CREATE FUNCTION guard_breach() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    NEW.recorded_by := acting_person();
    NEW.recorded_at := market_now();
    IF NOT acts_on_register(NEW.organisation, 'conflicts_guardian') THEN
        PERFORM refuse('breach_by_guardian', 'Breaches are recorded by the conflicts guardian.');
    END IF;
    IF NEW.happened_on > register_day(NEW.recorded_at) THEN
        PERFORM refuse('nothing_from_the_future', 'No breach has happened on a day to come.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_breach BEFORE INSERT ON conflict_breach
    FOR EACH ROW EXECUTE FUNCTION guard_breach();

-- Who was involved is recorded with the breach, in its transaction, and never the recorder.
CREATE FUNCTION guard_breach_person() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.person = acting_person() THEN
        PERFORM refuse('breach_of_others', 'A breach is recorded and published by a guardian who'
            ' was not involved in it.');
    END IF;
    IF NOT EXISTS (
        SELECT 1 FROM conflict_breach b
        WHERE b.id = NEW.breach AND b.recorded_by = acting_person()
        AND b.xmin = pg_current_xact_id()::xid
    ) THEN
        PERFORM refuse('involved_with_the_breach',
            'Who was involved is recorded together with the breach.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_breach_person BEFORE INSERT ON conflict_breach_person
    FOR EACH ROW EXECUTE FUNCTION guard_breach_person();

-- The words of a text without capitals and accents; market.interests.rules.breaches reads them so.
CREATE FUNCTION words_of(written text) RETURNS text[] LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(found[1]), '{}') FROM regexp_matches(
        lower(regexp_replace(normalize(written, NFKD), '[\u0300-\u036f]', '', 'g')),
        '[^[:space:][:punct:][:digit:]\u00a0-\u00bf\u2000-\u206f\u3000-\u303f]+', 'g') AS found
$$;

-- A text names somebody by any word of three or more letters of their name, or, where the name has
-- only shorter ones, by the whole of it.
CREATE FUNCTION names_somebody(written text, name text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT CASE
        WHEN EXISTS (SELECT 1 FROM unnest(words_of(name)) AS w WHERE char_length(w) >= 3)
            THEN EXISTS (SELECT 1 FROM unnest(words_of(name)) AS w
                         WHERE char_length(w) >= 3 AND w = ANY (words_of(written)))
        WHEN words_of(name) = '{}' THEN false
        ELSE strpos(' ' || array_to_string(words_of(written), ' ') || ' ',
                    ' ' || array_to_string(words_of(name), ' ') || ' ') > 0 END
$$;

CREATE FUNCTION guard_breach_publication() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE of_organisation uuid;
BEGIN
    NEW.published_by := acting_person();
    NEW.published_at := market_now();
    SELECT organisation INTO of_organisation FROM conflict_breach WHERE id = NEW.breach;
    IF NOT acts_on_register(of_organisation, 'conflicts_guardian') THEN
        PERFORM refuse('breach_by_guardian', 'Breaches are published by the conflicts guardian.');
    END IF;
    IF EXISTS (SELECT 1 FROM conflict_breach_person i
               WHERE i.breach = NEW.breach AND i.person = acting_person()) THEN
        PERFORM refuse('breach_of_others', 'A breach is recorded and published by a guardian who'
            ' was not involved in it.');
    END IF;
    IF EXISTS (
        SELECT 1 FROM conflict_breach_person i LEFT JOIN person p ON p.id = i.person
        WHERE i.breach = NEW.breach AND (names_somebody(NEW.text, i.name)
            OR p.id IS NOT NULL AND names_somebody(NEW.text, p.name))
    ) THEN
        PERFORM refuse('breach_names_nobody', 'The text names somebody who was involved.');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_breach_publication BEFORE INSERT ON conflict_breach_publication
    FOR EACH ROW EXECUTE FUNCTION guard_breach_publication();
