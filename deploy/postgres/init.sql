-- What needs a superuser: the database, one schema and two roles per service, and the extensions.
-- X_owner owns schema X and runs its migrations; X_service gets USAGE here and named grants from the migrations.
-- A role is never named like a schema: "$user" would make that schema its default and hide it from migrations.
-- Run by psql with the passwords in the environment; running it again changes nothing but the passwords.
\set ON_ERROR_STOP on
-- Passwords must not end up in the statistics of statements.
SET pg_stat_statements.track_utility = off;

SELECT 'CREATE DATABASE concordat' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'concordat') \gexec
\connect concordat
SET pg_stat_statements.track_utility = off;

SELECT format('CREATE ROLE %I LOGIN', service || '_' || part)
FROM unnest(ARRAY['intake', 'registry', 'router', 'notifier']) AS service, unnest(ARRAY['owner', 'service']) AS part
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service || '_' || part) \gexec

\getenv intake_owner INTAKE_OWNER_PASSWORD
\getenv intake_service INTAKE_SERVICE_PASSWORD
\getenv registry_owner REGISTRY_OWNER_PASSWORD
\getenv registry_service REGISTRY_SERVICE_PASSWORD
\getenv router_owner ROUTER_OWNER_PASSWORD
\getenv router_service ROUTER_SERVICE_PASSWORD
\getenv notifier_owner NOTIFIER_OWNER_PASSWORD
\getenv notifier_service NOTIFIER_SERVICE_PASSWORD
ALTER ROLE intake_owner PASSWORD :'intake_owner';
ALTER ROLE intake_service PASSWORD :'intake_service';
ALTER ROLE registry_owner PASSWORD :'registry_owner';
ALTER ROLE registry_service PASSWORD :'registry_service';
ALTER ROLE router_owner PASSWORD :'router_owner';
ALTER ROLE router_service PASSWORD :'router_service';
ALTER ROLE notifier_owner PASSWORD :'notifier_owner';
ALTER ROLE notifier_service PASSWORD :'notifier_service';

-- The extensions' functions lie in schema public, where nobody but a superuser may create anything.
CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON DATABASE concordat FROM PUBLIC;

SELECT format('GRANT CONNECT ON DATABASE concordat TO %I; GRANT USAGE ON SCHEMA public TO %1$I',
              service || '_' || part)
FROM unnest(ARRAY['intake', 'registry', 'router', 'notifier']) AS service, unnest(ARRAY['owner', 'service']) AS part
\gexec

CREATE SCHEMA IF NOT EXISTS intake AUTHORIZATION intake_owner;
CREATE SCHEMA IF NOT EXISTS registry AUTHORIZATION registry_owner;
CREATE SCHEMA IF NOT EXISTS router AUTHORIZATION router_owner;
CREATE SCHEMA IF NOT EXISTS notifier AUTHORIZATION notifier_owner;
-- The audit log is kept by the notifier, in a schema of its own.
CREATE SCHEMA IF NOT EXISTS audit AUTHORIZATION notifier_owner;

GRANT USAGE ON SCHEMA intake TO intake_service;
GRANT USAGE ON SCHEMA registry TO registry_service;
GRANT USAGE ON SCHEMA router TO router_service;
GRANT USAGE ON SCHEMA notifier, audit TO notifier_service;
