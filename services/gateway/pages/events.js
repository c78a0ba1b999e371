'use strict';
// Asks /api/v1/events/recent and shows the answer. Texts go into the page as text, never as markup; the key is kept nowhere.
(() => {
  const EVERY_MS = 5000;
  const at = (id) => document.getElementById(id);
  let key = '';
  let timer = 0;
  let round = 0;

  const cell = (row, text, name) => {
    const td = row.insertCell();
    td.textContent = text === null || text === undefined ? '' : String(text);
    if (name) td.className = name;
  };

  const why = (event) => {
    if (event.status === 'refused') {
      const field = event.field ? `${event.field}: ` : '';
      return `${event.reason || ''} (${field}${event.detail || ''}); dead letter ${event.id}, ${event.state}`;
    }
    const notes = event.changes.map((c) => `${c.field ? `${c.field}: ` : ''}${c.code} (${c.message})`);
    if (event.late) notes.push('late: over three days old when it came');
    if (event.bot) notes.push('bot');
    return notes.join('; ');
  };

  const show = (answer) => {
    const rows = document.createDocumentFragment();
    for (const event of answer.data) {
      const row = document.createElement('tr');
      cell(row, event.received_at);
      cell(row, event.status, event.status);
      cell(row, event.status === 'refused' ? event.topic : [event.type, event.name].filter(Boolean).join(' '));
      cell(row, event.message_id);
      cell(row, event.session_id);
      cell(row, why(event));
      rows.append(row);
    }
    at('events').replaceChildren(rows);
    const parts = [`${answer.data.length} shown at ${new Date().toLocaleTimeString()}.`];
    if (answer.outcome === 'unknown_or_repeated')
      parts.push('No such event: it did not come, came before what was looked at, or repeats one that came earlier.');
    if (at('anonymous_id').value || at('user_id').value)
      parts.push('What is kept under a pseudonym, without consent, is found by its message id only.');
    if (answer.looked_back_to) parts.push(`Accepted events were looked for back to ${answer.looked_back_to}.`);
    if (answer.degraded) parts.push(`Could not be asked in time: ${answer.degraded.join(', ')}.`);
    at('state').textContent = parts.join(' ');
  };

  const ask = async () => {
    clearTimeout(timer);
    const mine = ++round;
    const query = new URLSearchParams();
    for (const name of ['message_id', 'anonymous_id', 'user_id', 'status'])
      if (at(name).value) query.set(name, at(name).value);
    try {
      const answer = await fetch(`/api/v1/events/recent?${query}`, {
        headers: { Authorization: `Bearer ${key}` }, cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer',
      });
      const body = await answer.json();
      if (mine !== round) return;
      if (answer.ok) show(body);
      else at('state').textContent = `${body.title}: ${body.detail}`;
      if (answer.status === 401 || answer.status === 403) return;
    } catch (error) {
      if (mine !== round) return;
      at('state').textContent = 'The gateway does not answer.';
    }
    plan();
  };

  const plan = () => {
    clearTimeout(timer);
    if (key && at('again').checked && !document.hidden) timer = setTimeout(ask, EVERY_MS);
  };

  at('question').addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    key = at('key').value.trim();
    ask();
  });
  at('again').addEventListener('change', plan);
  document.addEventListener('visibilitychange', plan);
})();
