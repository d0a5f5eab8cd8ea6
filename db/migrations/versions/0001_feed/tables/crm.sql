-- The tables of a database without an application. feed.mend() adds the other columns of opportunities.
CREATE TABLE IF NOT EXISTS public.users (id text PRIMARY KEY, name text, email text);
CREATE TABLE public.opportunities (id text PRIMARY KEY DEFAULT gen_random_uuid()::text);
