-- The change feed: what everybody sees of the log, and what colleagues see of each other's acts. What
-- is in neither list is seen by whoever did it, and in a tender by those who read its record.

SELECT keep_append_only('public_action', 'colleague_action');

-- Public is what the market's public pages show anyway, and of its details what they show. Not here:
-- entries in the registers of interests and of gifts. The register shows an entry; the act of
-- publishing it would tell that its holder had not consented.
INSERT INTO public_action (action, details, of_published_tender) VALUES
    ('breach.published', '{}', false),
    ('clock.shifted', '{forward_to}', false),
    ('log.restarted', '{origin,former,kept,known,known_root,note}', false),
    ('ownership.link_ended', '{ends_on}', false),
    ('ownership.link_stated', '{kind}', false);

-- Of colleagues' acts one sees what one's role deals with. Signing in and its means, refusals, and
-- whatever a later act may be that nobody has thought about here, are seen by no colleague.
INSERT INTO colleague_action (action, roles, in_tender) VALUES
    ('membership.granted', '{administrator}', false),
    ('membership.ended', '{administrator}', false),
    ('member.removed', '{administrator}', false),
    ('invitation.made', '{administrator}', false),
    ('invitation.repeated', '{administrator}', false),
    ('invitation.accepted', '{administrator}', false),
    ('invitation.revoked', '{administrator}', false),
    ('api_key.made', '{administrator}', false),
    ('api_key.replaced', '{administrator}', false),
    ('api_key.revoked', '{administrator}', false),
    ('client.registered', '{administrator}', false),
    ('client.keys_changed', '{administrator}', false),
    ('client.revoked', '{administrator}', false),
    ('interest.declared', '{conflicts_guardian,auditor}', false),
    ('interest.corrected', '{conflicts_guardian,auditor}', false),
    ('interest.ended', '{conflicts_guardian,auditor}', false),
    ('interest.mitigated', '{conflicts_guardian,auditor}', false),
    ('interest.published', '{conflicts_guardian,auditor}', false),
    ('interest.withheld', '{conflicts_guardian,auditor}', false),
    ('interest.read', '{conflicts_guardian,auditor}', false),
    ('interests.confirmed', '{conflicts_guardian,auditor}', false),
    ('gift.declared', '{conflicts_guardian,auditor}', false),
    ('gift.corrected', '{conflicts_guardian,auditor}', false),
    ('gift.reviewed', '{conflicts_guardian,auditor}', false),
    ('gift.published', '{conflicts_guardian,auditor}', false),
    ('gift.withheld', '{conflicts_guardian,auditor}', false),
    ('gift.read', '{conflicts_guardian,auditor}', false),
    ('breach.recorded', '{conflicts_guardian,auditor}', false),
    ('breach.published', '{conflicts_guardian,auditor}', false),
    ('register.read', '{conflicts_guardian,auditor}', false),
    ('register.reviewed', '{conflicts_guardian,auditor}', false),
    ('gifts.read', '{conflicts_guardian,auditor}', false),
    ('breaches.read', '{conflicts_guardian,auditor}', false),
    ('clock.shifted', '{registrar}', false),
    ('log.restarted', '{registrar}', false),
    ('ownership.imported', '{registrar}', false),
    ('ownership.link_ended', '{registrar}', false),
    ('ownership.link_stated', '{registrar}', false);

SELECT keep_to_migrations('public_action', 'colleague_action');

-- The acts of colleagues that the acting person sees now, in the organisation they act for: one set
-- for a whole statement. A system acts in the name of its maker, and sees what a colleague would.
CREATE FUNCTION colleague_actions(in_tenders boolean) RETURNS SETOF text LANGUAGE sql STABLE ROWS 20
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.action FROM colleague_action a
    WHERE a.in_tender = in_tenders AND EXISTS (
        SELECT 1 FROM membership m WHERE m.person = acting_person()
        AND m.organisation = acting_organisation() AND m.role = ANY (a.roles)
        AND m.ended_at IS NULL)
$$;
CREATE POLICY event_of_colleague ON event FOR SELECT TO market_app
    USING (tender IS NULL AND organisation = acting_organisation()
           AND action IN (SELECT colleague_actions(false)));

-- What everybody may know of the events after one position and up to another: neither who acted nor
-- in which request, and of the details those alone that are public. (Not SQL, since
-- tender_is_public comes with the tenders, later. OFFSET 0: by position, event by event.)
CREATE FUNCTION public_events(after bigint, upto bigint)
RETURNS TABLE ("position" bigint, id uuid, action text, occurred_at timestamptz, subject_kind text,
               subject uuid, tender uuid, details jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.position, e.id, e.action::text, e.occurred_at, e.subject_kind::text, e.subject,
        e.tender, (SELECT coalesce(jsonb_object_agg(d.key, d.value), '{}')
                   FROM jsonb_each(e.details) d WHERE d.key = ANY (a.details))
    FROM event_position p
    CROSS JOIN LATERAL (SELECT * FROM event WHERE event.id = p.event OFFSET 0) e
    JOIN public_action a ON a.action = e.action
    WHERE p.position > after AND p.position <= upto
      AND (NOT a.of_published_tender OR tender_is_public(e.tender))
    ORDER BY p.position;
END $$;

-- When a public event was written down: the one part of its leaf that the feed does not show.
CREATE FUNCTION public_event_recorded_at(of_position bigint) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT e.recorded_at FROM public_events(of_position - 1, of_position) p
    JOIN event e ON e.id = p.id
$$;

GRANT SELECT ON public_action, colleague_action TO market_guard;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION public_events(bigint, bigint), public_event_recorded_at(bigint),
    colleague_actions(boolean) TO market_app;
