-- The name that the original design gives this history. Nothing uses this view: an application or its schema tool may drop it, or
-- have a table of this name, in which case it is not created.
CREATE VIEW public.opportunity_versions AS SELECT * FROM feed.opportunity_versions;
COMMENT ON VIEW public.opportunity_versions IS 'The same as feed.opportunity_versions.';
