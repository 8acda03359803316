-- The record of a lot's evaluation, whole: what the panel, the ranking, the approvers and the notices
-- left behind. One value, put together here because its readers (auditors among them) do not each
-- read every table it comes from.

-- How the acting person stands towards the record: as an auditor of a buyer without an interest
-- (`out` with one), or by duty; and whether there is a record: not before the award, unless the lot
-- was given up.
CREATE FUNCTION record_reader(of_lot uuid)
RETURNS TABLE (audits boolean, "out" boolean, by_duty boolean, recorded boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT audits_tender(t.id), NOT coalesce(why, 'declaration_missing')
               IN ('declaration_missing', 'may_not_decide'),
           mine.duties && ARRAY['tender_manager', 'guardian', 'award_approver', 'outcome_reviewer']
               AND coalesce(why, 'may_not_decide') = 'may_not_decide',
           l.stage = 'abandoned' OR EXISTS (SELECT 1 FROM award a WHERE a.lot = l.id)
    FROM lot l JOIN tender t ON t.id = l.tender
    CROSS JOIN LATERAL my_duties(t.id, acting_person(), acting_organisation()) mine
    CROSS JOIN LATERAL (SELECT why_not_unconflicted(acting_person(), t.id) AS why) w
    WHERE l.id = of_lot AND t.opened_at IS NOT NULL
$$;

CREATE FUNCTION reads_record(of_lot uuid) RETURNS boolean LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT 1 FROM record_reader(of_lot) r
                   WHERE r.recorded AND (r.by_duty OR r.audits AND NOT r."out"))
$$;

-- A figure as it is: whole numbers as text, however long.
CREATE FUNCTION exact_figure(numerator numeric, denominator numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN numerator IS NOT NULL THEN jsonb_build_object(
        'numerator', trim_scale(numerator)::text, 'denominator', trim_scale(denominator)::text) END
$$;

-- -- its parts ------------------------------------------------------------------------------------

CREATE FUNCTION recorded_people(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('person', h.person, 'name', h.name,
        'duties', h.duties) ORDER BY h.name, h.person), '[]')
    FROM (SELECT d.person, p.name, array_agg(DISTINCT d.duty::text ORDER BY d.duty::text) AS duties
          FROM lot l JOIN duty d ON d.tender = l.tender JOIN person p ON p.id = d.person
          WHERE l.id = of_lot GROUP BY d.person, p.name) h
$$;

-- What was declared on taking a duty, and about each bidder of the lot; what the guardian decided.
CREATE FUNCTION recorded_declarations(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    WITH held AS MATERIALIZED (SELECT l.tender FROM lot l WHERE l.id = of_lot),
    bidding AS MATERIALIZED (SELECT DISTINCT b.organisation FROM manifest_entry m
                             JOIN bid b ON b.id = m.bid WHERE m.lot = of_lot)
    SELECT jsonb_build_object(
        'duty_declarations', (SELECT coalesce(jsonb_agg(jsonb_build_object('person', d.person,
            'statement', d.statement, 'details', d.details, 'declared_at', d.declared_at)
            ORDER BY d.declared_at, d.id), '[]')
            FROM duty_declaration d JOIN held h ON h.tender = d.tender),
        'declarations', (SELECT coalesce(jsonb_agg(jsonb_build_object('person', d.person,
            'bidder', d.bidder, 'interest', d.interest, 'details', d.details,
            'declared_at', d.declared_at) ORDER BY d.declared_at, d.id), '[]')
            FROM declaration d JOIN held h ON h.tender = d.tender
            WHERE d.bidder IN (SELECT organisation FROM bidding)),
        'conflict_decisions', (SELECT coalesce(jsonb_agg(jsonb_build_object('person', c.person,
            'bidder', c.bidder, 'outcome', c.outcome, 'reason', c.reason,
            'mitigation', c.mitigation, 'decided_by', c.decided_by, 'decided_at', c.decided_at)
            ORDER BY c.decided_at, c.id), '[]')
            FROM conflict_decision c JOIN held h ON h.tender = c.tender
            WHERE c.bidder IN (SELECT organisation FROM bidding)),
        'exemptions', (SELECT coalesce(jsonb_agg(jsonb_build_object('person', e.person,
            'duties', jsonb_build_array(e.one, e.other), 'reason', e.reason,
            'granted_by', e.granted_by, 'granted_at', e.granted_at, 'expires_at', e.expires_at,
            'revoked_at', (SELECT r.revoked_at FROM exemption_revocation r
                           WHERE r.exemption = e.id)) ORDER BY e.granted_at, e.id), '[]')
            FROM exemption e JOIN held h ON h.tender = e.tender))
$$;

CREATE FUNCTION recorded_bids(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('pseudonym', m.pseudonym, 'variant', m.variant,
        'organisation', b.organisation, 'supplier', o.name, 'received_at', v.received_at,
        'quality_digest', encode(m.quality_digest, 'hex'),
        'price_digest', encode(m.price_digest, 'hex'),
        'quality_opened_at', q.opened_at, 'quality_failure', q.failure,
        'price_opened_at', p.opened_at, 'price_failure', p.failure,
        'prices', p.content -> 'prices', 'participants', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('role', t.role, 'name', t.name,
                'scheme', t.scheme, 'identifier', t.identifier,
                'share', trim_scale(t.share)::text, 'exclusion_grounds', t.exclusion_grounds)
                ORDER BY t.role, t.name, t.id), '[]')
            FROM bid_participant t WHERE t.bid_version = m.bid_version)) ORDER BY length(m.pseudonym), m.pseudonym), '[]')
    FROM manifest_entry m JOIN bid b ON b.id = m.bid JOIN organisation o ON o.id = b.organisation
    JOIN bid_version v ON v.id = m.bid_version
    LEFT JOIN opened_envelope q ON q.bid = m.bid AND q.kind = 'quality'
    LEFT JOIN opened_envelope p ON p.bid = m.bid AND p.kind = 'price'
    WHERE m.lot = of_lot
$$;

CREATE FUNCTION recorded_panels(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object(
        'panels', (SELECT coalesce(jsonb_agg(jsonb_build_object('number', n.number,
            'round', n.round, 'because', n.because, 'set_by', n.set_by, 'set_at', n.set_at, 'seats', (
                SELECT coalesce(jsonb_agg(jsonb_build_object('evaluator', s.evaluator,
                    'criterion', s.criterion) ORDER BY s.criterion, s.evaluator), '[]')
                FROM panel_seat s WHERE s.panel = n.id)) ORDER BY n.number), '[]')
            FROM panel n WHERE n.lot = of_lot),
        'counted_seats', (SELECT coalesce(jsonb_agg(jsonb_build_object('round', k.round,
            'evaluator', k.evaluator, 'criterion', c.code)
            ORDER BY k.round, c.code, k.evaluator), '[]')
            FROM counted_seat k JOIN criterion c ON c.id = k.criterion WHERE k.lot = of_lot),
        'score_locks', (SELECT coalesce(jsonb_agg(jsonb_build_object('round', k.round,
            'evaluator', k.evaluator, 'locked_at', k.locked_at) ORDER BY k.locked_at, k.evaluator), '[]')
            FROM score_lock k WHERE k.lot = of_lot))
$$;

CREATE FUNCTION recorded_scores(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object(
        'scores', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'round', s.round,
            'pseudonym', m.pseudonym, 'criterion', c.code, 'evaluator', s.evaluator,
            'number', s.number, 'superseded', EXISTS (SELECT 1 FROM score x WHERE x.bid = s.bid
                AND x.criterion = s.criterion AND x.evaluator = s.evaluator
                AND x.round = s.round AND x.number > s.number),
            'value', trim_scale(s.value)::text, 'reason', s.reason, 'evidence', s.evidence,
            'scored_at', s.scored_at)
            ORDER BY s.round, length(m.pseudonym), m.pseudonym, c.code, s.evaluator, s.number),
            '[]')
            FROM score s JOIN manifest_entry m ON m.bid = s.bid
            JOIN criterion c ON c.id = s.criterion WHERE s.lot = of_lot),
        'agreed_scores', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', a.id,
            'round', a.round, 'pseudonym', m.pseudonym, 'criterion', c.code, 'moderator', a.moderator,
            'number', a.number, 'superseded', EXISTS (SELECT 1 FROM agreed_score x
                WHERE x.bid = a.bid AND x.criterion = a.criterion
                AND x.round = a.round AND x.number > a.number),
            'value', exact_figure(a.value, a.divisor), 'reason', a.reason,
            'discussion', a.discussion, 'counted', a.counted, 'agreed_at', a.agreed_at)
            ORDER BY a.round, length(m.pseudonym), m.pseudonym, c.code, a.number), '[]')
            FROM agreed_score a JOIN manifest_entry m ON m.bid = a.bid
            JOIN criterion c ON c.id = a.criterion WHERE a.lot = of_lot),
        'dissents', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id,
            'round', a.round, 'pseudonym', m.pseudonym, 'criterion', c.code, 'agreed_number', a.number,
            'evaluator', d.evaluator, 'reason', d.reason, 'dissented_at', d.dissented_at)
            ORDER BY a.round, length(m.pseudonym), m.pseudonym, c.code, a.number, d.evaluator),
            '[]')
            FROM dissent d JOIN agreed_score a ON a.id = d.agreed_score
            JOIN manifest_entry m ON m.bid = a.bid JOIN criterion c ON c.id = a.criterion
            WHERE a.lot = of_lot),
        'questions', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', q.id,
            'pseudonym', m.pseudonym, 'number', q.number, 'about', q.about,
            'question', q.question, 'asked_by', q.asked_by, 'asked_at', q.asked_at,
            'answer_by', q.answer_by, 'answer', a.answer, 'answered_at', a.answered_at)
            ORDER BY length(m.pseudonym), m.pseudonym, q.number), '[]')
            FROM bid_question q JOIN manifest_entry m ON m.bid = q.bid
            LEFT JOIN bid_answer a ON a.question = q.id WHERE q.lot = of_lot),
        'quality_decisions', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'round', q.round, 'pseudonym', m.pseudonym,
            'points', exact_figure(q.points_numerator, q.points_denominator),
            'passed', q.passed, 'failed_because', q.failed_because, 'decided_by', q.decided_by,
            'decided_at', q.decided_at)
            ORDER BY q.round, length(m.pseudonym), m.pseudonym), '[]')
            FROM quality_decision q JOIN manifest_entry m ON m.bid = q.bid WHERE q.lot = of_lot))
$$;

CREATE FUNCTION recorded_rankings(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object(
        'rankings', (SELECT coalesce(jsonb_agg(jsonb_build_object('number', k.number,
            'round', k.round, 'because', k.because, 'method', k.method, 'method_version', k.method_version,
            'ranked_by', k.ranked_by, 'ranked_at', k.ranked_at,
            'draw_seed', encode(k.draw_seed, 'hex'), 'bids', (
                SELECT coalesce(jsonb_agg(jsonb_build_object('pseudonym', m.pseudonym,
                    'place', r.place, 'tied', r.tied, 'price', trim_scale(r.price)::text,
                    'quality_points', exact_figure(r.quality_numerator, r.quality_denominator),
                    'price_points', exact_figure(r.price_numerator, r.price_denominator),
                    'total', exact_figure(r.total_numerator, r.total_denominator))
                    ORDER BY r.place, length(m.pseudonym), m.pseudonym), '[]')
                FROM ranked_bid r JOIN manifest_entry m ON m.bid = r.bid WHERE r.ranking = k.id))
            ORDER BY k.number), '[]')
            FROM ranking k WHERE k.lot = of_lot),
        'drop_outs', (SELECT coalesce(jsonb_agg(jsonb_build_object('pseudonym', m.pseudonym,
            'ranking', k.number, 'reason', d.reason, 'recorded_by', d.recorded_by,
            'recorded_at', d.recorded_at) ORDER BY k.number), '[]')
            FROM drop_out d JOIN ranking k ON k.id = d.ranking
            JOIN manifest_entry m ON m.bid = d.bid WHERE d.lot = of_lot),
        'low_price_decisions', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'pseudonym', m.pseudonym, 'outcome', d.outcome, 'reason', d.reason,
            'decided_by', d.decided_by, 'decided_at', d.decided_at)
            ORDER BY length(m.pseudonym), m.pseudonym), '[]')
            FROM low_price_decision d JOIN manifest_entry m ON m.bid = d.bid
            WHERE d.lot = of_lot))
$$;

-- Who challenged an award, how that ended, and the rounds that followed.
CREATE FUNCTION recorded_challenges(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object(
        'challenges', (SELECT coalesce(jsonb_agg(jsonb_build_object('number', c.number,
            'challenger', c.challenger, 'grounds', c.grounds, 'reference', c.reference,
            'received_at', c.received_at, 'recorded_by', c.recorded_by,
            'recorded_at', c.recorded_at, 'outcome', e.outcome, 'reason', e.reason,
            'ended_by', e.ended_by, 'ended_at', e.ended_at) ORDER BY c.number), '[]')
            FROM lot_challenge c LEFT JOIN challenge_end e ON e.challenge = c.id
            WHERE c.lot = of_lot),
        'rounds', (SELECT coalesce(jsonb_agg(jsonb_build_object('number', r.number,
            'challenge', c.number, 'begun_by', r.begun_by, 'begun_at', r.begun_at)
            ORDER BY r.number), '[]')
            FROM lot_round r JOIN lot_challenge c ON c.id = r.challenge WHERE r.lot = of_lot))
$$;

-- Notices word for word, of which the record gives a digest.
CREATE FUNCTION recorded_award(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object(
        'recommendations', (SELECT coalesce(jsonb_agg(jsonb_build_object('number', r.number,
            'ranking', k.number, 'pseudonym', m.pseudonym, 'reason', r.reason,
            'recommended_by', r.recommended_by, 'recommended_at', r.recommended_at,
            'approvals', (SELECT coalesce(jsonb_agg(jsonb_build_object('approver', a.approver,
                'lay', a.lay, 'outcome', a.outcome, 'reason', a.reason,
                'decided_at', a.decided_at) ORDER BY a.decided_at, a.approver), '[]')
                FROM approval a WHERE a.recommendation = r.id)) ORDER BY r.number), '[]')
            FROM recommendation r JOIN ranking k ON k.id = r.ranking
            JOIN manifest_entry m ON m.bid = r.bid WHERE r.lot = of_lot),
        'awards', (SELECT coalesce(jsonb_agg(jsonb_build_object('recommendation', r.number,
            'pseudonym', m.pseudonym, 'awarded_at', a.awarded_at,
            'standstill', (SELECT jsonb_build_object('rule_set', s.rule_set,
                'began_at', s.began_at, 'ends_at', s.ends_at)
                FROM standstill s WHERE s.award = a.id),
            'notices', (SELECT coalesce(jsonb_agg(jsonb_build_object('pseudonym', e.pseudonym,
                'recipient', n.recipient, 'content', n.content, 'sent_by', n.sent_by,
                'sent_at', n.sent_at) ORDER BY length(e.pseudonym), e.pseudonym), '[]')
                FROM award_notice n JOIN manifest_entry e ON e.bid = n.bid WHERE n.award = a.id),
            'checks', (SELECT coalesce(jsonb_agg(jsonb_build_object('number', k.number,
                'subject', k.subject, 'participant', p.name, 'outcome', k.outcome,
                'reason', k.reason, 'evidence', k.evidence, 'recorded_by', k.recorded_by,
                'recorded_at', k.recorded_at) ORDER BY k.number), '[]')
                FROM award_check k LEFT JOIN bid_participant p ON p.id = k.participant
                WHERE k.award = a.id),
            'buyer_decisions', (SELECT coalesce(jsonb_agg(jsonb_build_object('buyer', d.buyer,
                'takes_part', d.takes_part, 'reason', d.reason, 'decided_by', d.decided_by,
                'decided_at', d.decided_at) ORDER BY d.decided_at, d.buyer), '[]')
                FROM buyer_decision d WHERE d.award = a.id))
            ORDER BY a.awarded_at, r.number), '[]')
            FROM award a JOIN recommendation r ON r.id = a.recommendation
            JOIN manifest_entry m ON m.bid = a.bid WHERE a.lot = of_lot),
        'contracts', (SELECT coalesce(jsonb_agg(jsonb_build_object('reference', c.reference,
            'buyer', c.buyer, 'value', trim_scale(c.value)::text,
            'recorded_by', c.recorded_by, 'made_at', c.made_at, 'starts', c.starts,
            'ends', c.ends) ORDER BY c.made_at, c.reference), '[]')
            FROM contract c WHERE c.lot = of_lot))
$$;

-- The acts of the lot as the log has them: not who read what, nor what was refused.
CREATE FUNCTION recorded_events(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'action', e.action,
        'subject_kind', e.subject_kind, 'subject', e.subject, 'occurred_at', e.occurred_at,
        'position', p.position) ORDER BY e.serial), '[]')
    FROM lot l JOIN event e ON e.tender = l.tender
        AND (e.subject = l.id OR e.details ->> 'lot' = l.number::text)
    LEFT JOIN event_position p ON p.event = e.id
    WHERE l.id = of_lot AND e.action NOT LIKE '%.read' AND e.action <> 'request.refused'
$$;

-- -- the whole ------------------------------------------------------------------------------------

-- NULL to everybody who does not read it.
CREATE FUNCTION evaluation_record_of(of_lot uuid) RETURNS jsonb LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object('tender', t.id, 'reference', t.reference, 'title', t.title,
        'rule_set', t.rule_set, 'buyers', (SELECT jsonb_agg(jsonb_build_object(
                'organisation', o.id, 'name', o.name, 'address', o.address) ORDER BY o.name, o.id)
            FROM tender_buyer b JOIN organisation o ON o.id = b.organisation
            WHERE b.tender = t.id),
        'lot', l.number, 'lot_title', l.title, 'abandoned_because', l.abandoned_because,
        'opened_at', t.opened_at, 'people', recorded_people(l.id), 'bids', recorded_bids(l.id),
        'events', recorded_events(l.id))
        || recorded_declarations(l.id) || recorded_panels(l.id) || recorded_scores(l.id)
        || recorded_rankings(l.id) || recorded_challenges(l.id) || recorded_award(l.id)
    FROM lot l JOIN tender t ON t.id = l.tender WHERE l.id = of_lot AND reads_record(l.id)
$$;

SELECT seal_guards();
GRANT EXECUTE ON FUNCTION record_reader(uuid), reads_record(uuid), evaluation_record_of(uuid)
    TO market_app;
