-- The application's content, of which a meditation is made: conversations, what was said in them,
-- and what they refer to. Stillcast only reads it.

create table conversations (
  id uuid primary key,
  -- Whose conversation it is; a job sees those of its own tenant alone.
  tenant text not null default 'default' check (tenant ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
  title text not null default '',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table messages (
  id uuid primary key,
  conversation_id uuid not null references conversations (id) on delete cascade,
  -- Grows with the conversation; the latest message has the highest.
  seq integer not null,
  role text not null check (role in ('system', 'user', 'assistant', 'tool')),
  content text not null,
  created_at timestamptz not null default now(),
  -- Also the index by which the latest messages are found.
  unique (conversation_id, seq)
);

create table source_contents (
  id uuid primary key,
  conversation_id uuid not null references conversations (id) on delete cascade,
  kind text not null check (kind in ('url', 'file', 'note', 'transcript')),
  uri text,
  title text,
  body text not null,
  sha256 bytea not null check (octet_length(sha256) = 32),
  position integer not null default 0,
  created_at timestamptz not null default now(),
  unique (conversation_id, sha256)
);

create index source_contents_by_conversation
  on source_contents (conversation_id, position, id);

create index conversations_by_tenant on conversations (tenant, updated_at desc);
