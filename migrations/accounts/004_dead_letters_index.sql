-- Every dead letter has a row here, and what was done with it stands in that row: the table of actions becomes the index of
-- all. The letter itself stays in its topic; whoever reads the index first adds what the topics have since the last time.

alter table accounts.dlq_actions rename to dead_letters;
alter table accounts.dead_letters rename constraint dlq_actions_pkey to dead_letters_pkey;
alter table accounts.dead_letters drop constraint dlq_actions_action_check;
alter table accounts.dead_letters rename column action to state;
-- replaying: about to be sent; replayed: the log has it again
alter table accounts.dead_letters alter state set default 'open',
    add check (state in ('open', 'replaying', 'replayed', 'dropped'));
alter table accounts.dead_letters alter times set default 0, alter actor drop not null;
alter table accounts.dead_letters rename column at to acted_at;
alter table accounts.dead_letters alter acted_at drop not null, alter acted_at drop default;
alter table accounts.dead_letters
    add column said varchar(255), -- its producer's number, which a repeat has too; null: the gateway's own
    add column code varchar(100) not null default '',
    add column field varchar(255) not null default '',
    add column reason text not null default '',
    add column service varchar(50) not null default '',
    add column source varchar(255) not null default '', -- topic/partition/offset of what was refused; empty: it never was in a topic
    add column message_id varchar(255) not null default '',
    add column subject varchar(255) not null default ''; -- the key without its tenant: of events the device's hash as hex

create unique index idx_dead_letters_said on accounts.dead_letters (tenant_id, topic, part, said);
create index idx_dead_letters_record_time on accounts.dead_letters (tenant_id, record_time, topic, part, record_offset);
-- counts by reason are answered from it alone
create index idx_dead_letters_code on accounts.dead_letters (tenant_id, topic, code, state);

-- How far the index has read each topic. Of no tenant: letters of all of them lie in one partition.
create table accounts.dead_letter_positions (
    topic varchar(255) not null,
    part int not null,
    next_offset bigint not null,
    primary key (topic, part)
);
