// The page at "/": one execution, live. Everything that comes from a log is hostile and becomes text, never HTML.
'use strict';
(() => {
  const MAX_ROWS = 2000; // a run may have millions; the browser keeps the newest
  const TRIM_ROWS = 200; // rows are taken out by the block, not with every new one
  const MAX_QUEUE = 2000; // entries that wait for the next frame, while the tab is in the background too
  const MAX_TEXT = 20000;
  const LIST_INTERVAL_MS = 4000;
  const STATE_INTERVAL_MS = 1500;
  const RETRY_MS = 2000;
  const WAIT_S = 300; // a link may be opened before its run has begun
  const NEAR_END_PX = 40;

  const $ = (id) => document.getElementById(id);
  const log = $('log');
  const scroller = $('scroller');

  let ready = false; // whether to ask the server anything; the session's cookie itself is out of reach here
  let signedIn = false; // whether it has answered
  let current = ''; // execution shown
  let source = null; // its EventSource
  let lastId = ''; // of the last event seen, for streams this page opens again itself
  let queue = []; // entries for the next frame
  let framed = false;
  let removed = 0;
  let following = true;
  let retryTimer = 0;
  let stateTimer = 0;
  let listTimer = 0;
  let listed = new Map();
  let starts = 0; // sign-ins begun; an answer to an earlier one is late

  // ---- text ----------------------------------------------------------------------------------------------------

  const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
  // Control characters, and those that turn the direction of text around: a line must read as it was written.
  const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069\ufeff]/g;

  function clean(value) {
    const text = String(value);
    const cut = text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) + ' … (cut for display)' : text;
    return cut.replace(ANSI, '').replace(UNSEEN, (c) => {
      const code = c.codePointAt(0);
      return code < 0x20 ? String.fromCodePoint(0x2400 + code) : '\ufffd';
    });
  }

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = clean(text);
    return made;
  }

  const plural = (number, one) => count(number) + ' ' + (Number(number) === 1 ? one : one + 's');
  const count = (number) => Number(number || 0).toLocaleString('en');
  const words = (name) => String(name || '').toLowerCase().replaceAll('_', ' ');

  function clock(timestamp) {
    const date = new Date(timestamp);
    if (Number.isNaN(date.getTime())) return '';
    return date.toLocaleTimeString('en-GB') + '.' + String(date.getMilliseconds()).padStart(3, '0');
  }

  // ---- server --------------------------------------------------------------------------------------------------

  // The browser adds the session's cookie, here and to streams. A token is in no URL and in no storage.
  async function get(path) {
    const response = await fetch(path, { credentials: 'same-origin', cache: 'no-store' });
    if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status });
    signedIn = true;
    return response.json();
  }

  function connection(state, text) {
    $('connection').dataset.state = state;
    $('connection').textContent = text;
  }

  // A token becomes a session, once; what is left of it is a cookie that all tabs of this browser share.
  async function openSession(token) {
    const response = await fetch('v2/session', {
      method: 'POST',
      headers: { Authorization: 'Bearer ' + token },
      credentials: 'same-origin',
      cache: 'no-store',
    });
    if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status });
  }

  const signInAgain = () => signIn(signedIn ? 'The session has ended' : 'You are not signed in');

  function signIn(why) {
    close();
    clearTimeout(listTimer);
    ready = false;
    $('why').textContent = why;
    $('view').hidden = true;
    $('empty').hidden = true;
    $('sign-in').hidden = false;
    $('executions').replaceChildren();
    $('list-note').textContent = '';
    connection('error', why);
    $('token').focus();
  }

  // ---- list of executions --------------------------------------------------------------------------------------

  async function list() {
    clearTimeout(listTimer);
    if (!ready) return;
    try {
      const answer = await get('v2/executions?limit=20');
      showList(answer.executions || []);
    } catch (error) {
      if (error.status === 401) return signInAgain();
      $('list-note').textContent = 'The list cannot be loaded right now.';
      $('list-note').hidden = false;
    }
    if (ready) listTimer = setTimeout(list, document.hidden ? LIST_INTERVAL_MS * 5 : LIST_INTERVAL_MS);
  }

  function showList(executions) {
    listed = new Map(executions.map((execution) => [execution.execution_id, execution]));
    const focused = document.activeElement && document.activeElement.dataset.execution;
    $('executions').replaceChildren(...executions.map(listItem));
    $('list-note').textContent = executions.length ? '' : 'No execution yet. It appears here with its first entry.';
    $('list-note').hidden = executions.length > 0;
    if (focused) {
      const again = [...$('executions').querySelectorAll('button')].find((b) => b.dataset.execution === focused);
      if (again) again.focus();
    }
  }

  function listItem(execution) {
    const item = document.createElement('li');
    const button = element('button');
    button.type = 'button';
    button.dataset.execution = execution.execution_id;
    button.setAttribute('aria-current', String(execution.execution_id === current));
    button.addEventListener('click', () => open(execution.execution_id));
    const name = element('span', 'name');
    name.append(element('span', '', execution.workflow_id || 'no workflow'), status(execution.status));
    const meta = element('span', 'meta');
    meta.append(element('span', '', count(execution.total_logs) + ' entries'));
    if (execution.error_count) meta.append(element('span', 'bad', plural(execution.error_count, 'error')));
    if (execution.last_entry_at) meta.append(element('span', '', clock(execution.last_entry_at).slice(0, 8)));
    button.append(name, element('span', 'id', execution.execution_id), meta);
    item.append(button);
    return item;
  }

  function status(name) {
    const badge = element('span', 'status', words(name));
    badge.dataset.status = name || '';
    return badge;
  }

  // ---- one execution -------------------------------------------------------------------------------------------

  function open(executionId) {
    close();
    current = executionId;
    lastId = '';
    clearLog();
    $('sign-in').hidden = true;
    $('empty').hidden = true;
    $('view').hidden = false;
    $('title').textContent = clean(executionId);
    $('subtitle').textContent = '';
    $('counts').textContent = '';
    showProgress(0);
    showStatus('');
    document.title = clean(executionId) + ' · Tailrace';
    for (const button of $('executions').querySelectorAll('button')) {
      button.setAttribute('aria-current', String(button.dataset.execution === current));
    }
    history.replaceState(null, '', '#execution=' + encodeURIComponent(executionId));
    if (listed.has(current)) showState(listed.get(current));
    stream();
    state();
  }

  function close() {
    clearTimeout(retryTimer);
    clearTimeout(stateTimer);
    if (source) source.close();
    source = null;
  }

  function clearLog() {
    queue = [];
    removed = 0;
    log.replaceChildren();
    $('cut').hidden = true;
    follow(true);
  }

  async function state() {
    clearTimeout(stateTimer);
    const asked = current;
    try {
      const answer = await get('v2/executions/' + encodeURIComponent(asked));
      if (asked === current) showState(answer);
    } catch (error) {
      if (error.status === 401) return signInAgain();
      // 404: not begun yet; anything else: the stream says so, and the next turn tries again
    }
    if (asked === current && source) stateTimer = setTimeout(state, STATE_INTERVAL_MS);
  }

  function showState(execution) {
    $('title').textContent = clean(execution.workflow_id || execution.execution_id);
    $('subtitle').textContent = clean(execution.execution_id);
    $('counts').textContent = count(execution.total_logs) + (execution.total_logs === 1 ? ' entry, ' : ' entries, ')
      + plural(execution.error_count || 0, 'error') + ', ' + plural(execution.warning_count || 0, 'warning');
    if (execution.progress_percentage !== null && execution.progress_percentage !== undefined) {
      showProgress(execution.progress_percentage);
    }
    showStatus(execution.status);
  }

  function showStatus(name) {
    $('status').textContent = clean(words(name));
    $('status').dataset.status = name || '';
    $('status').hidden = !name;
  }

  function showProgress(percent) {
    const value = Math.min(100, Math.max(0, Number(percent) || 0));
    $('progress').value = value;
    $('percent').textContent = Math.round(value) + ' %';
  }

  // ---- stream --------------------------------------------------------------------------------------------------

  function stream() {
    const query = new URLSearchParams({ wait: WAIT_S, min_level: $('min-level').value });
    if (lastId) query.set('last_event_id', lastId);
    else query.set('tail', MAX_ROWS);
    connection('connecting', 'Connecting');
    const opened = new EventSource('v2/executions/' + encodeURIComponent(current) + '/logs/stream?' + query);
    source = opened;
    opened.onopen = () => connection('live', 'Live');
    opened.onmessage = (event) => {
      if (event.lastEventId) lastId = event.lastEventId;
      let message;
      try {
        message = JSON.parse(event.data);
      } catch {
        message = { event_type: 'ERROR', data: { error: 'an event that is not JSON' } };
      }
      receive(message, opened);
    };
    opened.onerror = () => {
      if (source !== opened) return;
      if (opened.readyState === EventSource.CLOSED) refused();
      else connection('reconnecting', 'Reconnecting');
    };
  }

  function receive(message, from) {
    if (message.event_type === 'COMPLETE') {
      from.close();
      source = null;
      connection('ended', 'Ended');
      state();
    } else if (message.event_type === 'ERROR') {
      connection('reconnecting', 'Interrupted');
      if (message.data && message.data.error_type === 'token_expired') return signInAgain();
    }
    queue.push(message);
    if (queue.length > MAX_QUEUE) removed += queue.splice(0, queue.length - MAX_QUEUE).length;
    if (!framed) {
      framed = true;
      requestAnimationFrame(render);
    }
  }

  // EventSource gives up on anything but 200 and does not say why; 204 is how a finished stream says "nothing more".
  async function refused() {
    const asked = current;
    close();
    try {
      const answer = await get('v2/executions/' + encodeURIComponent(asked));
      if (asked !== current) return;
      showState(answer);
      if (['SUCCEEDED', 'FAILED', 'STOPPED'].includes(answer.status) && lastId) {
        connection('ended', 'Ended');
        return;
      }
      connection('reconnecting', 'Reconnecting');
    } catch (error) {
      if (asked !== current) return;
      if (error.status === 401) return signInAgain();
      if (error.status === 404) return connection('error', 'There is no such execution that you may read');
      connection('reconnecting', 'The server is away, trying again');
    }
    retryTimer = setTimeout(() => {
      stream();
      state();
    }, RETRY_MS);
  }

  // ---- rows ----------------------------------------------------------------------------------------------------

  function render() {
    framed = false;
    const rows = document.createDocumentFragment();
    for (const message of queue) rows.append(row(message));
    queue = [];
    log.append(rows);
    let tooMany = log.childElementCount - MAX_ROWS;
    if (tooMany > (following ? 0 : TRIM_ROWS)) {
      const before = scroller.scrollHeight;
      removed += tooMany;
      while (tooMany-- > 0) log.firstElementChild.remove();
      // someone who reads further up keeps the line in front of them
      if (!following) scroller.scrollTop -= before - scroller.scrollHeight;
    }
    if (removed > 0) {
      $('cut').textContent = 'Only the newest ' + count(MAX_ROWS) + ' rows are kept here; ' + count(removed) + ' older ones were taken out.';
      $('cut').hidden = false;
    }
    if (following) scroller.scrollTop = scroller.scrollHeight;
  }

  function row(message) {
    const data = message.data || {};
    if (message.event_type === 'GAP') {
      const item = element('li', 'row gap', 'Entries ' + count(data.from_seq) + ' to ' + count(data.to_seq)
        + ' can no longer be had (' + words(data.reason) + ')');
      return item;
    }
    if (message.event_type === 'COMPLETE') {
      return element('li', 'row end', 'The execution ' + words(data.status) + ' after ' + count(data.total_logs) + ' entries');
    }
    if (message.event_type === 'ERROR') {
      return element('li', 'row gap', 'The stream was interrupted: ' + (data.error || 'no reason given'));
    }
    return entry(data);
  }

  function entry(data) {
    const item = element('li', 'row');
    item.dataset.level = String(data.level || 'info').toLowerCase();
    item.dataset.seq = data.seq;
    if (data.raw_message) item.classList.add('friendly');
    if (data.is_milestone) item.classList.add('milestone');
    if (typeof data.progress_percentage === 'number') showProgress(data.progress_percentage);
    const time = element('time', '', clock(data.timestamp));
    if (data.timestamp) time.dateTime = data.timestamp;
    const level = element('span', 'level', data.is_milestone && item.dataset.level === 'info' ? '★ info' : item.dataset.level);
    const node = element('span', 'node', data.node_name || '');
    if (data.node_name) node.title = clean(data.node_name);
    const attempt = data.attempt > 1 ? ' (attempt ' + data.attempt + ')' : '';
    const text = (data.message || '') + attempt;
    const more = details(data);
    item.append(time, level, node);
    if (more) {
      const box = element('details');
      box.append(element('summary', 'text', text), element('pre', '', more));
      item.append(box);
    } else {
      item.append(element('span', 'text', text));
    }
    return item;
  }

  // What an engineer asks for behind the line that everybody reads; '' if there is nothing.
  function details(data) {
    const lines = [];
    if (data.raw_message) lines.push(data.raw_message);
    if (data.error_code) lines.push('error code: ' + data.error_code);
    if (data.stack_trace) lines.push(data.stack_trace);
    for (const name of ['data', 'technical_details', 'performance_metrics']) {
      if (data[name] && Object.keys(data[name]).length) lines.push(name + ': ' + JSON.stringify(data[name], null, 2));
    }
    return lines.join('\n');
  }

  // ---- scrolling -----------------------------------------------------------------------------------------------

  function follow(on) {
    following = on;
    $('follow').hidden = on;
    if (on) scroller.scrollTop = scroller.scrollHeight;
  }

  scroller.addEventListener('scroll', () => {
    const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PX;
    if (atEnd !== following) follow(atEnd);
  });
  $('follow').addEventListener('click', () => {
    follow(true);
    scroller.focus();
  });
  document.addEventListener('keydown', (event) => {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (!typing && event.key === 'End' && current) follow(true);
  });

  $('min-level').addEventListener('change', () => {
    if (!current) return;
    close();
    lastId = '';
    clearLog();
    stream();
    state();
  });
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) list();
  });

  // ---- begin ---------------------------------------------------------------------------------------------------

  // The token comes in the fragment, which no server sees, and leaves the address bar before anything else happens: it
  // would be in the history and in every screenshot. A link without one relies on the session that is there.
  async function begin() {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const token = fragment.get('token');
    const execution = fragment.get('execution');
    history.replaceState(null, '', execution ? '#execution=' + encodeURIComponent(execution) : location.pathname);
    if (token) {
      await start(token, execution);
    } else {
      show(execution);
    }
  }

  async function start(token, execution) {
    const run = ++starts;
    connection('connecting', 'Signing in');
    try {
      await openSession(token);
    } catch (error) {
      if (run !== starts) return;
      current = execution || current; // where a better token leads to
      const refused = error.status === 401 || error.status === 403;
      return signIn(refused ? 'The token is not valid' : 'The server cannot be reached, or refuses to sign anybody in now');
    }
    if (run === starts) show(execution);
  }

  function show(execution) {
    ready = true;
    $('sign-in').hidden = true;
    connection('idle', 'Not connected');
    list();
    if (execution) open(execution);
    else $('empty').hidden = false;
  }

  $('sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    const token = $('token').value.trim();
    $('token').value = '';
    start(token, current);
  });
  window.addEventListener('hashchange', begin);
  begin();
})();
