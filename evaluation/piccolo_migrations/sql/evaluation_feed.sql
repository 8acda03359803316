-- What the change feed shows of the end of a lot, as its public page and the notice of its award do.
-- How the panel came there is told by the assurance report, once every bidder has been told; until
-- then nobody learns from the feed that a lot was awarded. How many notices were sent is not told.
INSERT INTO public_action (action, details, of_published_tender) VALUES
    ('notices.sent', '{lot,standstill_ends_at}', true),
    ('contract.made', '{lot,buyer,reference}', true),
    ('lot.abandoned', '{lot}', true);
