-- The tenders in which a person acted or was given a duty, and when each was over: when it was given
-- up, or when the last of its contracts has ended or its last lot was given up; NULL while it is not.
-- What somebody was refused counts: who tried what belongs to the record.
CREATE FUNCTION kept_in_tenders(of_person uuid)
RETURNS TABLE (kind text, what text, concluded_on date) LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
    SELECT 'tender', t.reference::text, CASE
        WHEN t.stage = 'abandoned' THEN register_day(t.abandoned_at)
        WHEN NOT EXISTS (SELECT 1 FROM lot l WHERE l.tender = t.id
                         AND l.stage NOT IN ('contracted', 'abandoned'))
            THEN greatest(
                (SELECT max(greatest(c.ends, register_day(c.made_at)))
                 FROM contract c JOIN lot l ON l.id = c.lot WHERE l.tender = t.id),
                (SELECT register_day(max(e.occurred_at)) FROM event e
                 WHERE e.tender = t.id AND e.action = 'lot.abandoned')) END
    FROM tender t WHERE t.id IN (
        SELECT e.tender FROM event e WHERE e.person = of_person AND e.tender IS NOT NULL
        UNION SELECT d.tender FROM duty d WHERE d.person = of_person)
$$;
