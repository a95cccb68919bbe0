'use strict';

// JSON.stringify of a large, nested session store, for a log line.
const sessions = Array.from({ length: 200_000 }, (_, id) => ({ id, user: `user-${id}`, roles: ['a', 'b'], seen: { at: id * 2 } }));

function logState(state) {
  return JSON.stringify({ level: 'debug', state }).length;
}

setTimeout(function onTick() {
  console.log('ready');
  for (;;) logState(sessions);
}, 10);
