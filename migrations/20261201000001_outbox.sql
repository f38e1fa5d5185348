-- The outbox: an application writes its own rows and the job in one transaction, and a worker hands the
-- job to the queue when that transaction has been committed. Stillcast writes here beside the application.

create table stillcast_outbox (
  -- The job's identifier, in the queue too.
  id text primary key check (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
  -- The order in which jobs are handed over.
  seq bigint generated always as identity,
  queue text not null default 'stillcast' check (queue ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
  -- The request, as POST /v1/jobs takes it; null once the job has ended and cannot begin again.
  job jsonb,
  -- waiting: not handed over yet. sent: the queue has it. done, dead, cancelled, expired: its end.
  -- refused: it can never run, see reason. unclear: whether the queue ever had it is not known.
  -- missing: the queue had it, does not know it any more, and nobody has seen its end.
  state text not null default 'waiting' check (state in
    ('waiting', 'sent', 'done', 'dead', 'cancelled', 'expired', 'refused', 'unclear', 'missing')),
  reason text,
  -- The job that stands for this one, where another one holds its idempotency key.
  job_id text,
  created_at timestamptz not null default now(),
  -- When a worker first set out to hand it over, written before it did.
  tried_at timestamptz,
  -- Until then it is some worker's to hand over.
  taken_until timestamptz,
  sent_at timestamptz,
  -- When the queue is next asked what has become of it.
  look_at timestamptz,
  ended_at timestamptz
);

create index stillcast_outbox_waiting on stillcast_outbox (queue, seq) where state = 'waiting';
create index stillcast_outbox_looks on stillcast_outbox (queue, look_at)
  where state in ('sent', 'dead', 'missing');
create index stillcast_outbox_by_age on stillcast_outbox (created_at);

-- Has the job run once the caller's transaction is committed; answers its identifier. Called again with
-- the same identifier and job it changes nothing. What only looks at the job alone is judged here; a
-- worker judges the rest, and notes what is wrong in `reason`.
create function stillcast_enqueue(job jsonb, id text default null, queue text default 'stillcast')
  returns text language plpgsql set search_path from current as $$
declare
  ms bigint := floor(extract(epoch from clock_timestamp()) * 1000);
  noise text := replace(gen_random_uuid()::text, '-', '');
  -- A UUID of version 7: later ones sort later.
  chosen text := coalesce(stillcast_enqueue.id,
    (lpad(to_hex(ms), 12, '0') || '7' || substr(noise, 14))::uuid::text);
begin
  if chosen !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' then
    raise invalid_parameter_value using message =
      'id takes letters, digits and ._-, 1 to 128, the first a letter or a digit';
  end if;
  if stillcast_enqueue.queue is null
      or stillcast_enqueue.queue !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' then
    raise invalid_parameter_value using message =
      'queue takes letters, digits and ._-, 1 to 128, the first a letter or a digit';
  end if;
  if jsonb_typeof(stillcast_enqueue.job) is distinct from 'object'
      or jsonb_typeof(stillcast_enqueue.job -> 'source') is distinct from 'object'
      or coalesce(stillcast_enqueue.job ->> 'format', '') not in ('audio', 'video') then
    raise invalid_parameter_value using message =
      'job takes an object such as {"source": {"text": "A long day."}, "format": "audio"}';
  end if;
  if octet_length(stillcast_enqueue.job::text) > 128 * 1024 then
    raise invalid_parameter_value using message = 'job takes at most 128 KiB of JSON';
  end if;
  insert into stillcast_outbox as new (id, queue, job)
    values (chosen, stillcast_enqueue.queue, stillcast_enqueue.job)
    on conflict on constraint stillcast_outbox_pkey do nothing;
  if not found then
    perform 1 from stillcast_outbox as known
      where known.id = chosen and known.queue = stillcast_enqueue.queue
        and (known.job is null or known.job = stillcast_enqueue.job);
    if not found then
      raise unique_violation using message =
        format('the identifier %s already belongs to another job', chosen);
    end if;
  end if;
  perform pg_notify('stillcast_outbox', stillcast_enqueue.queue);
  return chosen;
end
$$;
